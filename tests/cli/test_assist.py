"""`crack-utils pre-label` and `crack-utils next`, with a stand-in for the network."""

import numpy as np
import pytest
from PIL import Image

from crack_utils.cli.main import main
from crack_utils.data import read_mask
from crack_utils.inference import predictor
from crack_utils.labelling.folder import LabelFolder
from crack_utils.labelling.session import Session
from tests.helpers.blackish import Blackish
from tests.helpers.folders import make_folder


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a folder of three photographs: one certain crack, one doubtful, one without."""
    monkeypatch.setattr(predictor, "load_trained", lambda name, engine=None: Blackish())
    images = {name: np.full((40, 60), 250, np.uint8) for name in ("certain", "doubtful", "empty")}
    images["certain"][20:24] = 0
    images["doubtful"][20:24] = 120
    images["empty"][0, 0] = 251
    return make_folder(tmp_path / "pipes", images)


def test_a_draft_is_no_label_before_somebody_has_looked_at_it(folder, capsys):
    assert main(["pre-label", str(folder)]) == 0
    shown = capsys.readouterr().out
    assert "certain: drafted, 10 % crack" in shown and "empty: drafted, no crack found" in shown
    labels = LabelFolder(folder)
    assert {labels.state(name) for name in labels.names} == {"draft"} and not (folder / "masks").exists()
    assert main(["label", "replay", str(folder)]) == 0
    assert "certain: draft" in capsys.readouterr().out and not (folder / "masks").exists()
    assert main(["check", str(folder)]) == 1
    assert "there are 3 draft(s) in recipes/: look at them in the editor first" in capsys.readouterr().err

    session = Session(folder)
    assert session.name == "certain" and session.labels.mask[20:24].all()
    session.settings.mode = "subtract"
    session.settings.tool = "rectangle"
    session.draw([(0, 0), (39, 29)])
    mask = read_mask(folder / "masks" / "certain.png")
    assert mask[20:24, 30:].all() and not mask[:, :30].any()
    session.open("empty")
    session.save()
    assert [labels.state(name) for name in labels.names] == ["labelled", "draft", "labelled"]
    assert main(["label", "replay", str(folder)]) == 0
    assert capsys.readouterr().out == "certain: unchanged\ndoubtful: draft\nempty: unchanged\n"


def test_what_is_labelled_or_drafted_is_kept(folder, capsys):
    (folder / "masks").mkdir()
    Image.fromarray(np.zeros((40, 60), np.uint8)).save(folder / "masks" / "empty.png")
    assert main(["pre-label", str(folder)]) == 0
    first = {path: path.read_bytes() for path in folder.rglob("*.json")}
    assert len(first) == 2
    capsys.readouterr()
    assert main(["pre-label", str(folder), "--threshold", "0.9"]) == 0
    assert "3 of 3 photographs have a recipe or a mask: kept" in capsys.readouterr().out
    assert {path: path.read_bytes() for path in folder.rglob("*.json")} == first
    assert main(["pre-label", str(folder), "--threshold", "2"]) == 1
    assert "--threshold must lie between 0 and 1" in capsys.readouterr().err


def test_next_names_the_doubtful_photograph_first(folder, capsys):
    assert main(["next", str(folder)]) == 0
    head, *rows, foot = capsys.readouterr().out.splitlines()
    assert head.split() == ["photograph", "unsure", "crack", "why"]
    assert rows[0].split()[0] == "doubtful" and "unsure" in rows[0]
    assert [row.split()[0] for row in rows if "sees no crack" in row] == ["empty"]
    assert foot.startswith("3 of 3 photographs have no label yet")
    assert main(["next", str(folder), "--count", "1"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3
    session = Session(folder)
    for name in session.folder.names:
        session.open(name)
        session.save()
    assert main(["next", str(folder)]) == 0
    assert capsys.readouterr().out == "all 3 photographs are labelled\n"


@pytest.mark.parametrize("count", ["0", "many"])
def test_a_count_that_is_none_is_refused(folder, capsys, count):
    with pytest.raises(SystemExit):
        main(["next", str(folder), "--count", count])
    assert f"'{count}' is not a whole number of at least 1" in capsys.readouterr().err


def test_a_photograph_that_cannot_be_read_costs_itself_only(folder, capsys):
    (folder / "images" / "broken.png").write_bytes(b"no picture")
    assert main(["next", str(folder)]) == 1
    out, err = capsys.readouterr()
    assert "doubtful" in out and "broken.png" in err
    assert main(["pre-label", str(folder)]) == 1
    out, err = capsys.readouterr()
    assert "doubtful: drafted" in out and "broken.png" in err
