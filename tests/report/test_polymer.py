"""Tips in photographs that are not part of the project: measured where they are present, else as stored."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from crack_utils.report import figures, polymer
from tests.helpers.darkness import Dark


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with two marks and two photographs: one with a dark line of 91 px, one without."""
    marks = pd.DataFrame(
        {"photograph": ["0200", "0380"], "crack": ["no", "yes"], "tip_row": [np.nan, 40], "tip_column": [np.nan, 90]}
        | {"sure_px": [np.nan, 3]}
    )
    (tmp_path / "results").mkdir()
    marks.to_csv(tmp_path / polymer.MARKS, index=False)
    monkeypatch.setattr(polymer.paths, "root", lambda: tmp_path)
    (tmp_path / "data" / "images").mkdir(parents=True)
    for name, length in (("0200", 0), ("0380", 91)):
        image = np.full((80, 120), 200, np.uint8)
        image[39:42, :length] = 10
        Image.fromarray(image).save(tmp_path / "data" / "images" / f"{name}.png")
    return tmp_path


def test_where_the_photographs_are_present_they_are_measured(project):
    table, crops = polymer.find_tips(Dark(), project / "data")
    assert table.loc["0200", ["marked", "found"]].tolist() == ["–", "–"]
    assert table.loc["0380", "off [px]"] < 2
    assert len(crops) == 1 and figures.enlarged_tips(crops).axes[0].get_title() == "0380"
    plt.close("all")


def test_the_sentence_tells_a_false_tip_and_the_errors():
    table = pd.DataFrame(
        {"marked": ["–", "(1, 2)", "(3, 4)"], "off [px]": [np.nan, 3.2, np.nan], "right end": [0.82, 0.9, np.nan]}
    )
    said = polymer.describe_tips(table)
    assert "a tip is reported in the photograph without a crack, with a probability of 82\xa0% to be right." in said
    assert "In 1 of the 2 with a crack, the tip is 3\xa0px from" in said
    none = polymer.describe_tips(table.assign(**{"off [px]": np.nan, "right end": np.nan}))
    assert "no tip is reported" in none and "none is found" in none


def test_else_the_stored_table_is_shown(project, monkeypatch, capsys):
    monkeypatch.setattr(polymer.sources, "public_folder", lambda name: project / "data")
    monkeypatch.setattr("crack_utils.inference.predictor.load_trained", lambda name: Dark())
    assert polymer.main() == 0
    monkeypatch.setattr(polymer.sources, "public_folder", lambda name: None)
    table, crops = polymer.find_tips(None)
    assert "are not present" in capsys.readouterr().out and crops == []
    assert table.index.tolist() == ["0200", "0380"] and table.loc["0380", "off [px]"] < 2
    assert polymer.main() == 2 and polymer.NAME in capsys.readouterr().err
