"""A crack that grows, followed through photographs whose truth is known; its pictures and its animation."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from crack_utils import Experiment
from crack_utils.data import find_pairs
from crack_utils.geometry import measure_cracks
from crack_utils.inference.predictor import Predictor
from crack_utils.report import figures, growth
from crack_utils.report.tables import measures_table

LENGTHS = (40, 60, 0, 80)


class Darkness:
    """Stands for a network: what is dark is crack."""

    def predict_on_batch(self, images):
        return 1 - images


@pytest.fixture
def pairs(tmp_path):
    """Four photographs of one specimen; in the third the crack is out of sight, and in the fourth none is dark."""
    for part in ("images", "masks"):
        (tmp_path / "rig" / part).mkdir(parents=True)
    rows = ["name,specimen,frame,tip_row,tip_column,mm_per_px"]
    for frame, length in enumerate(LENGTHS):
        mask = np.zeros((40, 120), bool)
        mask[18:22, :length] = True
        image = np.where(mask & (frame < 3), 20, 230 - frame).astype(np.uint8)  # one picture twice would be no data set
        Image.fromarray(image).save(tmp_path / "rig" / "images" / f"f{frame}.png")
        Image.fromarray(np.uint8(255 * mask)).save(tmp_path / "rig" / "masks" / f"f{frame}.png")
        if length:
            rows.append(f"f{frame},a,{frame},19.5,{length - 0.5},0.1")
    (tmp_path / "rig" / "metadata.csv").write_text("\n".join(rows))
    return find_pairs(tmp_path / "rig")


@pytest.fixture
def frames(pairs):
    return growth.follow(Predictor(Darkness(), "dark is crack"), pairs)


def test_length_and_tip_are_those_of_each_frame(frames):
    table = growth.growth_table(frames)
    np.testing.assert_allclose(table["length"], [40, 60, 0, 0], atol=0.6)
    np.testing.assert_allclose(table["true length"], LENGTHS, atol=0.6)
    np.testing.assert_allclose(table["tip error"], [0, 0, np.nan, np.nan], atol=0.6)
    np.testing.assert_allclose(table.loc[[0, 1], ["tip row", "tip column"]], [[19.5, 39.5], [19.5, 59.5]], atol=0.6)
    numbers = growth.growth_numbers(table)
    assert (numbers["frames"], numbers["found"]) == (4, 2)
    assert numbers["length_error_median"] == pytest.approx(0.3, abs=0.3)  # of about 0, 0, 0 and 80


def test_the_animation_has_all_frames_and_the_same_bytes(frames):
    gif = growth.animation(frames)
    picture = Image.open(io.BytesIO(gif))
    assert picture.n_frames == len(LENGTHS)
    assert picture.size == (240, 80)  # small ones are enlarged by a whole factor
    assert gif == growth.animation(frames)
    html = figures.moving(gif, 'a "crack"').data
    assert 'alt="a &quot;crack&quot;"' in html and 'src="data:image/gif;base64,' in html


def test_figures_show_frames_with_cracks_and_without(frames):
    table = growth.growth_table(frames)
    shown = figures.growth(frames, table, 3.0)
    right = shown.axes[1]
    assert {text.get_text() for text in right.get_legend().get_texts()} == {
        "true",
        "found",
        "± 3.0 px",
        "no crack found",
    }
    images, masks, cracks = ([getattr(frame, name) for frame in frames] for name in ("image", "mask", "cracks"))
    strip = figures.outlined(images, masks, cracks, ["a", "b", "c", "d"])
    assert [axes.get_title() for axes in strip.axes] == ["a", "b", "c", "d"]
    assert figures.measured_crack(images[3], masks[3], []).axes[0].get_title() == "No crack found"
    plt.close("all")


def test_a_table_has_a_row_for_each_crack():
    mask = np.zeros((40, 120), bool)
    mask[10:14, 20:80] = mask[30:34, 20:50] = True
    records = [
        {"name": name, "cracks": [crack.to_dict() for crack in measure_cracks(mask & keep, scale)]}
        for name, keep, scale in (("a", True, 0.1), ("b", False, None))
    ]
    table = measures_table(records)
    assert table[["photograph", "crack"]].to_numpy().tolist() == [["a", 1], ["a", 2]]
    np.testing.assert_allclose(table["length [mm]"], [6, 3], atol=0.06)
    assert measures_table(records[1:]).empty


def test_unseen_specimens_are_not_those_of_the_training(tmp_path, monkeypatch):
    monkeypatch.setenv("CRACK_UTILS_ARTIFACTS", str(tmp_path))

    class Run:
        experiment = Experiment.preset("smoke", size=(32, 40))

    found = growth.unseen(Run(), frames=2)
    assert [(pair.source, pair.frame) for pair in found] == [("old", 0), ("old", 1), ("new", 0), ("new", 1)]
    from crack_utils.data import sources

    trained = {pair.image.read_bytes() for pair in sources.load(Run.experiment)}
    assert not trained & {pair.image.read_bytes() for pair in found}
