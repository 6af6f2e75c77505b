"""The book's extensions: live numbers and tables, executed notebooks, hover words, downloads, and a small book."""

import base64
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from PIL import Image

from crack_utils.report.figures import style

ROOT = Path(__file__).parents[2]

BOOK = ROOT / "book"

# One white pixel, as a notebook holds pictures.
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAG7buVgAAAABJRU5ErkJggg=="


@pytest.fixture(scope="module")
def live_values():
    sys.path.insert(0, str(BOOK / "_ext"))
    import live_values

    yield live_values
    sys.path.remove(str(BOOK / "_ext"))


@pytest.fixture(scope="module")
def executed_notebooks(live_values):
    import executed_notebooks

    return executed_notebooks


def executed_notebook(path, records=(), cells=(), parameters=None):
    """Write a tiny executed notebook, its records as `crack_utils.report.recording.record` leaves them."""
    notebook = nbformat.v4.new_notebook()
    notebook.metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python"},
        "papermill": {"parameters": parameters or {}},
    }
    notebook.cells = list(cells)
    for values in records:
        output = nbformat.v4.new_output(
            "display_data",
            data={"application/papermill.record/text/plain": json.dumps(values)},
            metadata={"scrapbook": {"name": "values", "mime_prefix": "application/papermill.record/"}},
        )
        notebook.cells.append(nbformat.v4.new_code_cell("record()", outputs=[output]))
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


def test_records_of_a_notebook_merge(live_values, tmp_path):
    path = executed_notebook(
        tmp_path / "n.ipynb",
        [{"test": {"mean_iou": 0.9, "f1": 0.8}, "epochs": 3}, {"test": {"mean_iou": 0.95}, "size": [64, 80]}],
    )
    assert live_values.read_records(path) == {
        "test": {"mean_iou": 0.95, "f1": 0.8},
        "epochs": 3,
        "size": [64, 80],
    }


@pytest.mark.parametrize(
    ("keys", "specification", "text"),
    [
        ("test.mean_iou", ".3f", "0.988"),
        ("parameters", ",", "1,735,361"),
        ("size.1", "", "80"),
        ("share", ".1%", "2.1\u00a0%"),
        ("order", "", "Dice > BCE"),
        ("agrees", "", "yes"),
        ("agrees", "agrees|disagrees", "agrees"),
        ("differs", "agrees|disagrees", "disagrees"),
        ("nothing", ".3f", "none"),
    ],
)
def test_a_value_is_written_as_asked(live_values, keys, specification, text):
    records = {
        "test": {"mean_iou": 0.98765},
        "parameters": 1735361,
        "size": [64, 80],
        "share": 0.0213,
        "order": "Dice > BCE",
        "agrees": True,
        "differs": False,
        "nothing": None,
    }
    value = live_values.look_up(records, keys.split("."), "train_dice")
    assert live_values.format_value(value, specification) == text


@pytest.mark.parametrize(
    ("keys", "told"),
    [("test.miou", "mean_iou, f1"), ("test", "not one value"), ("size.2", "0 to 1"), ("epochs.first", "single int")],
)
def test_a_missing_value_says_what_there_is(live_values, keys, told):
    records = {"test": {"mean_iou": 0.9, "f1": 0.8}, "epochs": 3, "size": [64, 80]}
    with pytest.raises(live_values.ValueMissing, match=told):
        live_values.look_up(records, keys.split("."), "train_dice")


def test_rows_of_a_table_are_chosen_by_name(live_values):
    import live_tables

    entries = {"R6": 1, "R61": 2, "R61_2": 3, "S2": 4}
    assert list(live_tables.chosen(entries, "S2 R61", "a.b")) == ["R61", "R61_2", "S2"]
    assert live_tables.chosen(entries, None, "a.b") == entries
    with pytest.raises(live_values.ValueMissing, match=r"a\.b has no R7; it has: R6, R61"):
        live_tables.chosen(entries, "R61 R7", "a.b")


def test_notes_at_the_end_of_a_stored_table_become_sentences(live_values):
    import live_tables

    rows = [["failed", ""], ["fill", "0.1"], ["waiting: 1.5 %", ""], ["measured on x", ""]]
    assert live_tables.without_notes(rows) == (rows[:2], ["Waiting: 1.5 %.", "Measured on x."])
    assert live_tables.without_notes(rows[1:2]) == (rows[1:2], [])


def test_a_missing_notebook_and_a_wrong_format_are_told(live_values, tmp_path):
    with pytest.raises(live_values.ValueMissing, match="no executed notebook"):
        live_values.read_records(tmp_path / "n.ipynb")
    with pytest.raises(ValueError, match="truth value"):
        live_values.format_value(0.9, "yes|no")


def test_fields_are_filled_in_markdown_and_figure_metadata_alone(executed_notebooks):
    figure = {"figure": {"name": "fig-{{ loss }}", "caption": "Of {{loss_title}}."}, "image": {"alt": "{{ loss }}"}}
    output = nbformat.v4.new_output("stream", text="{{ loss }}")
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("# The {{ loss_title }} loss\n\n{{ unknown }}"),
            nbformat.v4.new_code_cell("print('{{ loss }}')", outputs=[output], metadata={"mystnb": figure}),
        ],
        metadata={"papermill": {"parameters": {"loss": "dice+bce"}}},
    )
    assert executed_notebooks.prepare(notebook) == {"unknown"}
    title, code = notebook.cells
    assert title.source == "# The Dice + BCE loss\n\n{{ unknown }}"
    assert code.metadata["mystnb"]["figure"] == {"name": "fig-dice+bce", "caption": "Of Dice + BCE."}
    assert code.metadata["mystnb"]["image"]["alt"] == "dice+bce"
    assert code.source == "print('{{ loss }}')" and code.outputs[0]["text"] == "{{ loss }}"


def test_code_is_folded_and_what_papermill_injected_is_left_out(executed_notebooks):
    cells = [
        nbformat.v4.new_code_cell('loss = "dice"  # which', metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell('# Parameters\nloss = "bce"', metadata={"tags": ["injected-parameters"]}),
        nbformat.v4.new_code_cell("1"),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"papermill": {"parameters": {"loss": "bce"}}})
    executed_notebooks.prepare(notebook)
    assert [cell.metadata["tags"] for cell in notebook.cells] == [
        ["hide-input", "parameters"],
        ["injected-parameters", "remove-cell"],
        ["hide-input"],
    ]
    assert notebook.cells[0].source.endswith("\n# this page was given: loss='bce'")


def test_remarks_of_libraries_and_folders_of_the_machine_are_left_out(executed_notebooks):
    outputs = [
        nbformat.v4.new_output("stream", name="stderr", text="a library remarks"),
        nbformat.v4.new_output("stream", name="stdout", text="INFO:tensorflow:Assets written\n"),
        nbformat.v4.new_output(
            "stream", name="stdout", text="WARNING:tensorflow:5 out of the last\nin /home/me/book/artifacts/runs"
        ),
        nbformat.v4.new_output("display_data", data={"text/html": "<b>/home/me/book/x</b>", "image/png": PIXEL}),
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1", outputs=outputs)])
    executed_notebooks.prepare(notebook, ("/home/me/book", "/home/me"))
    said, shown = notebook.cells[0].outputs
    assert said["text"] == "in artifacts/runs"
    assert shown["data"] == {"text/html": "<b>x</b>", "image/png": PIXEL}


def test_a_conditional_block_stays_on_its_page_alone(executed_notebooks):
    text = "a\n<!-- only: loss=dice -->\nof Dice\n<!-- end -->\n<!-- only: loss=bce -->\nof BCE\n<!-- end -->\nz"
    assert executed_notebooks.only_for(text, {"loss": "bce"}) == "a\nof BCE\nz"
    assert executed_notebooks.only_for(text, {}) == "a\nz"


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("supported", "supported"),
        ("contradicted", "contradicted"),
        ("not decided by this study", "open"),
        ("no difference that matters", "same"),
    ],
)
def test_a_verdict_has_a_colour(live_values, words, kind):
    assert live_values.kind_of_verdict(words) == kind


def test_verdicts_are_counted(live_values):
    import live_tables

    counted = live_tables.tally({"a": {"verdict": "supported"}, "b": {"verdict": "supported"}, "c": {"verdict": "no"}})
    assert re.findall(r"\*\*(\d)\*\* (\w+)", counted) == [
        ("2", "supported"),
        ("0", "contradicted"),
        ("0", "no"),
        ("1", "not"),
    ]


def test_an_equation_becomes_mathml_or_stays_as_it_is(live_values):
    import downloads

    assert re.match(r"<math.*<mfrac>", downloads.mathml(r"\frac{1}{2}", block=False), re.DOTALL)
    assert "<mtable" in downloads.mathml(r"a &= b \\\\ c &= d", block=True)
    assert downloads.mathml(r"\tfrac12 x", block=False) == downloads.mathml(r"\frac{1}{2} x", block=False)
    assert "pt]" not in downloads.mathml(r"a &= b \\[6pt] c &= d", block=True)
    assert "mspace" in downloads.mathml(r"\ln 2", block=False) and "mspace" not in downloads.mathml(
        r"\ln(2)", block=False
    )
    assert downloads.mathml(r"\unheard{<}", block=False) == r"<code>\unheard{&lt;}</code>"


def test_all_equations_of_the_book_become_mathml(live_values):
    import downloads

    for page in sorted(BOOK.glob("*.md")):
        text = re.sub(r"(?ms)^```.*?^```", "", page.read_text())
        equations = re.findall(r"(?s)\$\$\n(.*?)\n\$\$", text)
        assert all("<math" in downloads.mathml(equation, block=True) for equation in equations), page
        inline = re.findall(r"(?<![\$`])\$([^$\n]+)\$", re.sub(r"(?s)\$\$.*?\$\$", "", text))
        assert all("<math" in downloads.mathml(equation, block=False) for equation in inline), page


def test_without_a_repository_the_recorded_commit_is_cited(live_values, tmp_path):
    import cite_this

    assert cite_this.version_of(tmp_path, "abc1234") == ("abc1234", "")


def test_records_are_not_rendered(executed_notebooks, tmp_path):
    notebook = nbformat.read(executed_notebook(tmp_path / "n.ipynb", [{"a": 1}, {"b": 2}]), as_version=4)
    executed_notebooks.prepare(notebook)
    assert [cell.outputs for cell in notebook.cells] == [[], []]


def letter():
    """Return a pixel of a letter of a figure, as a notebook holds pictures."""
    file = io.BytesIO()
    Image.new("RGBA", (1, 1), style.INK).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


@pytest.fixture(scope="module")
def small_book(tmp_path_factory):
    """Build two pages and two trainings of one notebook, in a process of its own; return pages, warnings, pictures."""
    folder = tmp_path_factory.mktemp("book")
    (folder / "index.md").write_text(
        "# Book\n\nIt is {val}`train_dice.test.mean_iou:.2f` after {val}`train_focal.steps:,` steps.\n\n"
        "| dice, 95 % |\n|---|\n| {val}`train_dice.test.mean_iou:.1%` |\n\nA width of `100%`.\n\n"
        "```{live-table} train_dice.claims\nitem | ours\n{item} | {value:+.1f} [{low}]\n```\n\n"
        "A {term}`tip` and {verdict}`train_dice.said`.\n\n"
        "```{live-figure} train_dice fig-curves\n:name: fig-here\n\n"
        "Curves, {val}`train_dice.test.mean_iou:.3f`.\n```\n\n"
        "```{toctree}\nmissing\nbook/glossary\nartifacts/book/train_dice\nartifacts/book/train_focal\n```\n"
    )
    (folder / "book").mkdir()
    (folder / "book" / "glossary.md").write_text("# Words\n\n```{glossary}\ntip\n  The end of the crack.\n```\n")
    (folder / "missing.md").write_text(
        "# Missing\n\n{val}`train_dice.test.miou`\n{val}`train_bce.steps`\n\n"
        "```{live-figure} train_dice fig-none\n```\n\n```{live-table} train_dice.none\na\n{a}\n```\n"
    )
    claims = {
        "R1": {"item": "R1", "value": 0.25, "low": 3, "source": "ten runs"},
        "R2": {"item": "R2", "value": -1.0, "low": 4},
    }
    picture = nbformat.v4.new_output("display_data", data={"image/png": letter()})
    shown = {"figure": {"name": "fig-curves", "caption": "Of {{ loss }}."}, "image": {"alt": "Two curves."}}
    curves = nbformat.v4.new_code_cell("curves()", outputs=[picture], metadata={"mystnb": shown})
    for loss in ("dice", "focal"):
        executed_notebook(
            folder / f"artifacts/book/train_{loss}.ipynb",
            [{"test": {"mean_iou": 0.9876}, "claims": claims, "said": "supported"}, {"steps": 1200}],
            [
                nbformat.v4.new_markdown_cell("# Training with {{ loss_title }}\n\nThe loss is {{ loss }}."),
                *([curves] if loss == "dice" else []),
            ],
            {"loss": loss},
        )
    command = [sys.executable, "-m", "sphinx", "-q", "-C", "-n", "-w", str(folder / "warnings.txt")]
    command += [
        "-D",
        "extensions=myst_nb,live_tables,live_figures,executed_notebooks,fixed_spaces,hover_words,dark_figures",
        "-D",
        "nb_execution_mode=off",
    ]
    command += ["-D", "html_theme=basic", str(folder), str(folder / "html")]
    subprocess.run(command, check=True, env=os.environ | {"PYTHONPATH": str(BOOK / "_ext")}, timeout=120)
    pages = {path.stem: path.read_text() for path in (folder / "html").rglob("*.html")}
    return pages, (folder / "warnings.txt").read_text(), os.listdir(folder / "html" / "_images")


def test_a_book_shows_live_numbers_with_their_origin(small_book):
    index = small_book[0]["index"]
    assert 'title="notebook train_dice: test.mean_iou">0.99</span>' in index
    assert ">1,200</span>" in index
    assert ">98.8\u00a0%</span>" in index and "dice, 95\u00a0%" in index and "100%</span>" in index


def test_a_book_has_two_pages_of_one_notebook(small_book):
    pages = small_book[0]
    assert "Training with Dice" in pages["train_dice"] and "The loss is dice." in pages["train_dice"]
    assert "Training with focal" in pages["train_focal"]
    assert "1200" not in pages["train_dice"]  # records are data, not text


def test_a_book_has_a_row_for_each_entry_of_a_record(small_book):
    cells = re.findall(r"<td><p>(.*?)</p></td>", small_book[0]["index"])
    assert [re.sub(r"<.*?>", "", cell) for cell in cells] == ["98.8\u00a0%", "R1", "+0.2 [3]", "R2", "−1.0 [4]"]
    assert 'title="notebook train_dice: claims.R1.value (ten runs)"' in cells[2]


def test_an_item_of_the_report_has_its_words(live_values):
    import hover_words
    from docutils import nodes

    checklist, page = nodes.document(None, None), nodes.document(None, None)
    cells = [nodes.entry("", nodes.paragraph("", word)) for word in ("R54", "Table 1")]
    checklist += nodes.row("", *cells)
    page += nodes.paragraph("", "", nodes.Text("See R54, not R99 "), nodes.literal("", "R54"))
    hover_words.explain_items(page, hover_words.statements(checklist))
    (abbreviation,) = page.findall(nodes.abbreviation)
    assert abbreviation.astext() == "R54" and abbreviation["explanation"] == "Table 1"
    assert page.astext() == "See R54, not R99 R54"


def test_a_book_says_what_a_word_means_and_colours_a_verdict(small_book):
    index = small_book[0]["index"]
    assert re.search(r'<a [^>]*title="The end of the crack."[^>]*><span[^>]*>tip</span></a>', index)
    assert re.search(r'class="verdict verdict-supported"[^>]*>supported</span>', index)


def test_a_book_shows_a_notebooks_figure_with_a_caption_of_its_own(small_book):
    index = small_book[0]["index"]
    assert 'alt="Two curves."' in index and 'id="fig-here"' in index
    assert re.search(r"<figcaption>.*Curves, <span[^>]*>0.988</span>", index, re.DOTALL)


def test_a_book_has_a_second_picture_of_a_figure_for_dark_pages(small_book):
    pages, _, pictures = small_book
    for page in (pages["train_dice"], pages["index"]):
        (name,) = re.findall(r'class="[^"]*has-dark[^"]*"[^>]* src="[./]*_images/([\w-]+).png"', page)
        assert {f"{name}.png", f"{name}-dark.png"} <= set(pictures)


def test_a_book_warns_of_each_missing_number_and_of_nothing_else(small_book):
    value, notebook, figure, table = small_book[1].strip().splitlines()
    assert "missing.md:3" in value and "train_dice.test has no 'miou'; it has: mean_iou" in value
    assert "no executed notebook" in notebook and "train_bce.ipynb" in notebook
    assert "missing.md:6" in figure and "train_dice has no figure 'fig-none'; it has: fig-curves" in figure
    assert "missing.md:9" in table and "train_dice has no 'none'; it has: test, claims, said, steps" in table
