"""The book's pages: all exist, the checklist is whole, numbers, figures and citations have an origin."""

import re
from pathlib import Path

import nbformat
import pytest
import yaml

ROOT = Path(__file__).parents[2]

BOOK = ROOT / "book"

STAGED = "artifacts/book/"

LOSSES = ("bce", "dice", "focal", "tversky")

PROSE = sorted(BOOK.glob("*.md"))

# The source's checklist, item by item: facts of the report (R) and the suspects behind its Table 1 (S).
GROUPS = ((1, 5), (10, 15), (20, 29), (30, 35), (40, 46), (50, 56), (60, 67), (70, 74))

ITEMS = [f"R{number:02}" for first, last in GROUPS for number in range(first, last + 1)] + ["S1", "S2", "S3"]

# Items in which the report contradicts itself or leaves a choice open.
CHOICES = {"R14", "R21", "R23", "R24", "R27", "R33", "R34", "R40", "R41", "R42", "R44", "R50–R53", "S1"}

# The report's references in its order.
REPORT_REFERENCES = [
    "hao2020survey",
    "long2015fcn",
    "he2017maskrcnn",
    "ronneberger2015unet",
    "paper2021pipelines",
    "hyun2018mri",
    "mortazi2023optimizers",
    "kingma2014adam",
    "wang2013validation",
    "wilson2001small",
    "zhang2023d2l",
    "lin2017focal",
    "salehi2017tversky",
    "sudre2017dice",
]


def toc_files():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    chapters = [chapter for part in toc["parts"] for chapter in part["chapters"]]
    sections = [section for chapter in chapters for section in chapter.get("sections", [])]
    return [toc["root"], *(entry["file"] for entry in chapters + sections)]


def bibliography():
    """Key → keywords of each entry, in the file's order."""
    entries = re.findall(r"(?ms)^@\w+\{(\w+),(.*?)^\}", (BOOK / "references.bib").read_text())
    return {key: re.search(r"keywords\s*=\s*\{(.*?)\}", body)[1] for key, body in entries}


def test_every_page_of_the_toc_exists_or_is_staged():
    staged = {"data_prep", "augmentation", "architecture", "comparison", "labelling", "table1", "models", "tips"}
    staged |= {"real_photographs", "your_images", "certainty", "large_pictures", "crack_growth"}
    staged |= {f"train_{loss}" for loss in LOSSES}
    for file in toc_files():
        assert file.removeprefix(STAGED) in staged if file.startswith(STAGED) else (ROOT / f"{file}.md").is_file(), file
    assert {f"book/{page.stem}" for page in PROSE} <= set(toc_files())


@pytest.mark.parametrize("page", PROSE, ids=lambda page: page.stem)
def test_a_page_opens_with_one_title_and_an_overview(page):
    text = page.read_text()
    if page.stem != "index":  # the slider is its overview
        text = re.sub(r"\A---\n.*?\n---\n\n?", "", text, flags=re.DOTALL)  # the theme's settings for this page
        assert re.match(r"# \S.*\n\n::::\{div\} overview\n", text)
    outside_code = re.sub(r"(?ms)^```.*?^```", "", text)
    assert len(re.findall(r"(?m)^# ", outside_code)) == 1


def test_no_line_of_prose_is_taken_for_a_comment():
    texts = {page.stem: page.read_text() for page in PROSE}
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        texts[path.stem] = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert [name for name, text in texts.items() if re.search(r"(?m)^\s*%", text)] == []


def test_the_checklist_has_every_item_once_with_a_state():
    checklist, choices = (BOOK / "fidelity.md").read_text().split("## Choices")
    rows = re.findall(r"(?m)^\| ([RS]\d+) \|(.*)\|$", checklist)
    assert [item for item, _ in rows] == ITEMS
    for item, rest in rows:
        _, where, state = rest.split(" | ")
        assert where.strip(), item
        assert re.match(r"\[(done|partly|open)\]\{\.state-\1\}", state), item
        assert "partly" not in state or state.strip() != "[partly]{.state-partly}", f"{item}: say what is missing"
    assert set(re.findall(r"(?m)^\| (\S+) \|", choices)) >= CHOICES


def test_files_named_by_the_checklist_exist():
    named = re.findall(r"`((?:crack_utils|notebooks|book)/[\w./]+)`", (BOOK / "fidelity.md").read_text())
    assert named
    for name in named:
        assert (ROOT / name).exists(), name


def test_live_numbers_come_from_pages_of_the_toc():
    staged = {file.removeprefix(STAGED) for file in toc_files() if file.startswith(STAGED)}
    used = {stem for page in PROSE for stem in re.findall(r"\{val\}`(\w+)\.", page.read_text())}
    assert used and used <= staged


def test_figures_referred_to_are_made_by_a_notebook():
    made = set()
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        for cell in nbformat.read(path, as_version=4).cells:
            name = cell.metadata.get("mystnb", {}).get("figure", {}).get("name", "")
            made |= {name.replace("{{ loss }}", loss) for loss in LOSSES}
    text = "\n".join(page.read_text() for page in PROSE)
    shown = re.findall(r"```\{live-figure\} \w+ (\S+)\n:name: (\S+)", text)
    assert {theirs for theirs, _ in shown} <= made
    referred = set(re.findall(r"\{numref\}`([\w-]+)`", text))
    assert referred and referred <= made | {ours for _, ours in shown}


def test_citations_have_entries_and_entries_are_cited():
    known = bibliography()
    assert [key for key, keywords in known.items() if keywords == "report"] == REPORT_REFERENCES
    numbers = re.findall(r"number_in_report = \{(\d+)\}", (BOOK / "references.bib").read_text())
    assert numbers == [str(number) for number in range(1, 15)]
    assert set(known.values()) == {"report", "added"}
    cited = {
        key.strip()
        for page in [*PROSE, *sorted((ROOT / "notebooks").glob("*.ipynb"))]
        for keys in re.findall(r"\{cite(?::\w)?\}`(.*?)`", page.read_text())
        for key in keys.split(",")
    }
    assert cited == set(known)


def test_chapters_begin_with_what_the_report_said():
    prose = ["introduction", "literature", "data", "network", "training_scheme", "optimizer", "metrics", "losses"]
    prose += ["batch_size", "learning_rate", "discussion", "future_work"]
    texts = {name: (BOOK / f"{name}.md").read_text() for name in prose}
    for name in (
        "labelling",
        "data_prep",
        "augmentation",
        "architecture",
        "train",
        "comparison",
        "table1",
        "models",
        "tips",
    ):
        texts[name] = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4).cells[0].source
    for name, text in texts.items():
        lines = re.findall(r"(?m)^(The report said|We ran|Verdict)\n: ", text)
        assert lines == ["The report said", "We ran", "Verdict"] * (4 if name == "train" else 1), name


@pytest.mark.acceptance
def test_built_pages_load_nothing_from_outside():
    pages = sorted((ROOT / "_build/html").rglob("*.html"))
    if not pages:
        pytest.skip("the book is not built; make book")
    loads = re.compile(
        r"""<(?:script|img|iframe|source|video|audio|embed)\b[^>]*\bsrc=["'](?:https?:)?//|<link\b[^>]*\bhref=["'](?:https?:)?//"""
    )
    for page in pages:
        assert not loads.search(page.read_text()), page
    for style in (ROOT / "_build/html/_static").rglob("*.css"):
        assert not re.search(r"@import[^;]*//|url\([\"']?(?:https?:)?//", style.read_text()), style
