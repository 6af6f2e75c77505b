# The steps of the book and their dependencies. `make book` runs them; for clusters see book/scaling_out.md.
#
# A step runs again only if its notebook, its parameters, a module that it imports or the output of an earlier step has
# changed. A finished training is found by its run's id, so running its notebook again takes seconds.

import hashlib
import os
import re
import shutil
import sys
import time
from pathlib import Path

from crack_utils import Experiment
from crack_utils.training.experiment import default_preset
from crack_utils.losses.registry import REPORTED
from crack_utils.report.notebooks import default_parameters, executed_name, slug
from crack_utils.runtime import paths
from crack_utils.runtime.imports import sources
from crack_utils.study import cases, grid


workdir: workflow.basedir


# A value that is given and empty arrives as None.
DATA = str(config.get("data") or "synthetic")
GIVEN = str(config.get("preset") or "")  # what notebooks are given: the default leaves no trace in their names
PRESET = GIVEN or default_preset(DATA)
Experiment.preset(PRESET, data=DATA)  # fails for an unknown preset before anything starts
LOSSES = list(REPORTED)

LIVE = "smoke" if PRESET == "smoke" else "small"  # scale of the study that a build trains itself

# Pages of the book that are notebooks: name of the chapter → notebook and its special parameters.
CHAPTERS = {
    "labelling": ("labelling", {}),
    "data_prep": ("data_prep", {}),
    "augmentation": ("augmentation", {}),
    "architecture": ("architecture", {}),
    **{f"train_{loss}": ("train", {"loss": loss}) for loss in LOSSES},
    "comparison": ("comparison", {}),
    "table1": ("table1", {"scale": LIVE}),
    "models": ("models", {}),
    "real_photographs": ("real_photographs", {}),
    "your_images": ("your_images", {}),
    "certainty": ("certainty", {}),
    "large_pictures": ("large_pictures", {}),
    "crack_growth": ("crack_growth", {}),
    "tips": ("tips", {}),
}
# Additional trainings: `snakemake trainings --config losses=bce,dice seeds=0-9`.
GRID = {
    f"train_{own['loss']}_seed{own['seed']}": ("train", own)
    for own in grid.trainings(config.get("losses", ",".join(LOSSES)), config.get("seeds", 0))
}
NOTEBOOKS = GRID | CHAPTERS
# Chapters that read the results of other chapters.
AFTER = {
    "comparison": [f"train_{loss}" for loss in LOSSES],
    "your_images": ["train_dice"],
    "certainty": [f"train_{loss}" for loss in LOSSES],
    "tips": [f"train_{loss}" for loss in LOSSES],
}
# Chapters that read tables of a study trained by this build, and chapters that read stored tables.
TABLES = {"table1": LIVE}
FOUND_TIPS = [f"results/{name}_tips.csv" for name in ("default", "plate", "trained")]
RESULTS = {
    "table1": [f"results/{name}" for name in ("study", "fairness", "fingerprint")]
    + [f"results/{name}.csv" for name in ("statistics_check", "verdict_check", "claims", "repeats")],
    "augmentation": ["results/augmentation"],
    "models": ["results/families"],
    "tips": ["results/tips", "results/families", *FOUND_TIPS]
    + [f"results/{name}.csv" for name in ("polymer_tips", "polymer_found", "statistics_check")],
    "certainty": FOUND_TIPS,
    "crack_growth": ["results/growth_simulations.csv"],
    "real_photographs": ["results/photographs"],
    "large_pictures": ["results/thin_cracks.csv", "results/thin_cracks.json", "results/benchmark.csv"],
}

STARTED = time.time()
ARTIFACTS = os.path.relpath(paths.artifacts(), workflow.basedir)
LOGS = f"{ARTIFACTS}/logs"
STAGED = "artifacts/book"  # fixed in _toc.yml, also if CRACK_UTILS_ARTIFACTS sets another folder for the rest
READY = f"{ARTIFACTS}/data/{slug(DATA)}_{PRESET}.ready"

# Memory [MB] and time [min] that a scheduler reserves for one training. On one machine they are not limits. A step of
# `paper` was measured: 17.1 GiB in float32, 9.8 GiB in bfloat16. Its time is an estimate for a machine with a GPU. A
# cluster's profile overrides these values.
TRAINING_NEEDS = {"smoke": (3000, 30), "quick": (6000, 240), "photo": (6000, 240), "paper": (32000, 2880)}

# With small pictures a training gains little from a second core, so trainings run in parallel. A GPU runs one training at
# a time; so does a machine at the report's size, because of its memory. A cluster has no number of cores.
CORES = workflow.resource_settings.cores or 8
ALONE = PRESET == "paper" or shutil.which("nvidia-smi")
TRAINING_THREADS = CORES if ALONE else max(1, CORES // len(LOSSES))


def parameters(name):
    """Return what a notebook is given: the study's preset, if any, and data where it asks for them, and its own."""
    stem, own = NOTEBOOKS[name]
    study = {"data": DATA} | ({"preset": GIVEN} if GIVEN else {})
    return {name: study[name] for name in default_parameters(paths.notebook(stem)) if name in study} | own


def executed(name):
    """Return where papermill executes a notebook to."""
    return f"{ARTIFACTS}/executed/{executed_name(NOTEBOOKS[name][0], parameters(name))}"


def words(given):
    """Return parameters as papermill's command line has them."""
    return [word for item in given.items() for word in ("-p", *item)]


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


def gathered(scale):
    """Return the file that is written when a study's tables are."""
    return f"{ARTIFACTS}/study/{scale}/tables.done"


PHOTOGRAPHS = fingerprint(DATA)
# Name of the executed notebook → training. Those of the book come last, because the grid may contain some of them.
TRAININGS = {Path(executed(name)).stem: name for name, (stem, _) in NOTEBOOKS.items() if stem == "train"}

shell.prefix(f"export PATH='{os.path.dirname(sys.executable)}':$PATH; ")  # this environment's tools, activated or not


localrules:
    book,
    stage,
    study,
    trainings,


# It has no output, so it always runs and prints where the book is, even if nothing had to be made.
rule book:
    input:
        "_build/html/index.html",
    params:
        started=STARTED,
        names=["data", *CHAPTERS, "study", "book"],
        times=[f"{LOGS}/{Path(file).stem}.tsv" for file in [READY, *map(executed, CHAPTERS)]]
        + [f"{LOGS}/study_{LIVE}", f"{LOGS}/book.tsv"],
    message:
        "All is made"
    shell:
        "python -m crack_utils.report.build_times {input} {params.started} {params.names} {params.times:q}"


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
        " && NO_COLOR=1 python -m crack_utils.report.whole_book >> {log} 2>&1"


# The table of contents has fixed names; the variant shown under a name depends on the parameters of this build.
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
        sources(Path("crack_utils/cli/data.py")),
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


rule trainings:
    input:
        [executed(name) for name in GRID],


# Papermill is called as by a user; crack_utils/report/papermill_engine.py sets the output path and moves the notebook there
# only after success, so a failed notebook stays next to its log.
THREADS = "export TF_NUM_INTRAOP_THREADS={threads} OMP_NUM_THREADS={threads}; "
PAPERMILL = THREADS + "papermill {input.notebook} {params.given:q} --log-output --no-progress-bar > {log:q} 2>&1"


# All trainings are one rule, so that `--set-resources train:…` and a cluster's profile apply to all. If a scheduler stops a
# training at its limit, the next try continues after the last complete epoch.
rule train:
    input:
        notebook="notebooks/train.ipynb",
        modules=sources(paths.notebook("train")),
        data=READY,
    output:
        f"{ARTIFACTS}/executed/{{name}}.ipynb",
    wildcard_constraints:
        name="|".join(map(re.escape, TRAININGS)),
    params:
        given=lambda wildcards: words(parameters(TRAININGS[wildcards.name])),
        photographs=PHOTOGRAPHS,
    log:
        f"{LOGS}/{{name}}.log",
    benchmark:
        f"{LOGS}/{{name}}.tsv"
    threads: TRAINING_THREADS
    priority: 1  # the longest first, so that it does not run alone at the end
    resources:
        mem_mb=TRAINING_NEEDS[PRESET][0],
        runtime=TRAINING_NEEDS[PRESET][1],
    message:
        "Execute notebooks/train.ipynb {params.given}"
    shell:
        PAPERMILL


for chapter, (stem, _) in CHAPTERS.items():
    if stem == "train":
        continue
    given = parameters(chapter)
    name = Path(executed(chapter)).stem

    rule:
        name:
            chapter
        input:
            notebook=f"notebooks/{stem}.ipynb",
            modules=sources(paths.notebook(stem)),
            data=[READY] if "data" in given else [],
            before=[executed(other) for other in AFTER.get(chapter, [])],
            tables=[gathered(TABLES[chapter])] if chapter in TABLES else [],
            results=files_of(*RESULTS.get(chapter, [])),
        output:
            executed(chapter),
        params:
            given=words(given),
            photographs=PHOTOGRAPHS if "data" in given else "",
        log:
            f"{LOGS}/{name}.log",
        benchmark:
            f"{LOGS}/{name}.tsv"
        message:
            f"Execute notebooks/{stem}.ipynb {' '.join(words(given))}"
        shell:
            PAPERMILL


# The study behind Table 1 (crack_utils/study): `make study`; another study: `make study STUDY=<scale>`. One job with one
# thread per training, in parallel.
rule study:
    input:
        gathered(config.get("study", "full")),


rule study_training:
    input:
        # Without the list of cases: a case's name contains a hash of everything that determines it. The first training of
        # a data set renders its specimens; the others wait for it.
        sources(Path("crack_utils/evaluation/train.py")),
    output:
        f"{ARTIFACTS}/study/{{scale}}/{{case}}.run",
    wildcard_constraints:
        case="[^/]+",
    log:
        f"{LOGS}/study_{{scale}}/{{case}}.log",
    benchmark:
        f"{LOGS}/study_{{scale}}/{{case}}.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    message:
        "Train {wildcards.case} of the {wildcards.scale} study"
    shell:
        THREADS + "python -m crack_utils.study train {wildcards.scale} {wildcards.case} {output:q} > {log:q} 2>&1"


rule study_tables:
    input:
        "crack_utils/study/tables.py",
        lambda wildcards: [
            f"{ARTIFACTS}/study/{wildcards.scale}/{case.name}.run" for case in cases.cases(wildcards.scale)
        ],
    output:
        f"{ARTIFACTS}/study/{{scale}}/tables.done",
    log:
        f"{LOGS}/study_{{scale}}/tables.log",
    message:
        "Gather the tables of the {wildcards.scale} study"
    shell:
        "(python -m crack_utils.study gather {wildcards.scale} && touch {output:q}) > {log:q} 2>&1"
