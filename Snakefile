# What is made from what: data, executed notebooks, book. `make book` runs it; on a cluster: `snakemake book --executor slurm …`.
#
# A step runs again only if its notebook, its parameters, a module that it imports or the output of a step before it has
# changed in content. A training that was done before is found by its run's id, so re-running its notebook takes seconds.

import hashlib
import os
import sys
import time
from pathlib import Path

from crack_utils import paths
from crack_utils.notebooks import default_parameters, executed_name, notebook_path, slug, sources


workdir: workflow.basedir


PRESET = str(config.get("preset", "quick"))
DATA = str(config.get("data", "synthetic"))
LOSSES = ["bce", "dice", "focal", "tversky"]

# Every page of the book that is a notebook: its chapter's name → the notebook, and the parameters of its own.
CHAPTERS = {
    "labelling": ("labelling", {}),
    "labelling": ("labelling", {}),
    "data_prep": ("data_prep", {}),
    "augmentation": ("augmentation", {}),
    "architecture": ("architecture", {}),
    **{f"train_{loss}": ("train", {"loss": loss}) for loss in LOSSES},
    "comparison": ("comparison", {}),
}
# Chapters that read what others have made.
AFTER = {"comparison": [f"train_{loss}" for loss in LOSSES]}

STARTED = time.time()
ARTIFACTS = os.path.relpath(paths.artifacts(), workflow.basedir)
LOGS = f"{ARTIFACTS}/logs"
STAGED = "artifacts/book"  # where _toc.yml has it, also when CRACK_UTILS_ARTIFACTS moves the rest
READY = f"{ARTIFACTS}/data/{slug(DATA)}_{PRESET}.ready"


def parameters(chapter):
    """Return what a chapter's notebook is given: the study's preset and data where it asks for them, and its own."""
    stem, own = CHAPTERS[chapter]
    study = {"preset": PRESET, "data": DATA}
    return {name: study[name] for name in default_parameters(notebook_path(stem)) if name in study} | own


def executed(chapter):
    """Return where papermill executes a chapter's notebook to."""
    return f"{ARTIFACTS}/executed/{executed_name(CHAPTERS[chapter][0], parameters(chapter))}"


def fingerprint(data):
    """Return a digest of the files in the user's own folders, by name, size and time: another photograph is a change."""
    digest = hashlib.sha256()
    for part in data.split(os.pathsep):
        folder = Path(part) if Path(part).is_dir() else paths.named_data(part)
        for file in sorted(folder.rglob("*")) if folder else ():
            digest.update(f"{file} {file.stat().st_size} {file.stat().st_mtime_ns}\n".encode())
    return digest.hexdigest()


def files_of(*places):
    """Return the files in the given files and folders, relative to the root."""
    found = [file for place in map(Path, places) for file in (place.rglob("*") if place.is_dir() else [place])]
    return sorted(str(file) for file in found if file.is_file() and "__pycache__" not in file.parts)


PHOTOGRAPHS = fingerprint(DATA)

shell.prefix(f"export PATH='{os.path.dirname(sys.executable)}':$PATH; ")  # this environment's tools, activated or not


localrules:
    book,
    stage,


# It has no output, so it runs each time and tells where the book is, also when there was nothing to make.
rule book:
    input:
        "_build/html/index.html",
    params:
        started=STARTED,
        names=["data", *CHAPTERS, "book"],
        times=[f"{LOGS}/{Path(file).stem}.tsv" for file in [READY, *map(executed, CHAPTERS), "book"]],
    message:
        "All is made"
    shell:
        "python -m crack_utils.steps {input} {params.started} {params.names} {params.times:q}"


rule html:
    input:
        staged=[f"{STAGED}/{chapter}.ipynb" for chapter in CHAPTERS],
        prose=files_of("_config.yml", "_toc.yml", "book", "results"),
    output:
        "_build/html/index.html",
    log:
        f"{LOGS}/book.log",
    benchmark:
        f"{LOGS}/book.tsv"
    message:
        "Render the book"
    shell:
        "rm -rf _build && NO_COLOR=1 jupyter-book build . -q --all -W --keep-going -n > {log} 2>&1"


# The toc has fixed names; which variant stands under them is what this build was asked for.
rule stage:
    input:
        lambda wildcards: executed(wildcards.chapter),
    output:
        f"{STAGED}/{{chapter}}.ipynb",
    message:
        "Take {input} into the book"
    shell:
        "cp {input:q} {output}"


rule data:
    input:
        ["crack_utils/experiment.py", "crack_utils/data/sources.py", *sources(Path("crack_utils/data/sources.py"))],
    output:
        READY,
    params:
        preset=PRESET,
        data=DATA,
        photographs=PHOTOGRAPHS,
    log:
        f"{LOGS}/{Path(READY).stem}.log",
    benchmark:
        f"{LOGS}/{Path(READY).stem}.tsv"
    message:
        "Make or check the data"
    shell:
        "python -m crack_utils.cli prepare --preset {params.preset:q} --data {params.data:q} --marker {output:q} > {log:q} 2>&1"


# Papermill is called as a user would; crack_utils/papermill_engine.py gives it the output, and moves it there on success
# only, so a failed notebook stays beside its log.
for chapter, (stem, _) in CHAPTERS.items():
    given = parameters(chapter)
    name = Path(executed(chapter)).stem

    rule:
        name:
            chapter
        input:
            notebook=f"notebooks/{stem}.ipynb",
            modules=sources(notebook_path(stem)),
            # Ready is enough: what is in the data follows from the modules and, for photographs, from their fingerprint.
            data=[ancient(READY)] if "data" in given else [],
            before=[executed(other) for other in AFTER.get(chapter, [])],
        output:
            executed(chapter),
        params:
            given=[word for item in given.items() for word in ("-p", *item)],
            photographs=PHOTOGRAPHS if "data" in given else "",
        log:
            f"{LOGS}/{name}.log",
        benchmark:
            f"{LOGS}/{name}.tsv"
        threads: (workflow.cores or 8) if stem == "train" else 1  # trainings one after another, each on the whole machine
        message:
            f"Execute notebooks/{stem}.ipynb {' '.join(f'-p {key} {value}' for key, value in given.items())}"
        shell:
            "papermill {input.notebook} {params.given:q} --log-output --no-progress-bar > {log:q} 2>&1"
