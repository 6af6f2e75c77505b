"""Tables and figure of tip errors: by hand, with misses, and without tips."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from crack_utils import Experiment
from crack_utils.data import find_pairs, synthetic
from crack_utils.geometry import TipErrors
from crack_utils.report import figures
from crack_utils.runtime import paths
from crack_utils.study import tip_losses, tips

INF = float("inf")


def test_held_out_specimens_have_the_reports_size(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "data", lambda: tmp_path)
    monkeypatch.setattr(tips, "find_pairs", lambda *folders: folders)
    drawn = []
    monkeypatch.setattr(tips.synthetic, "generate", lambda folder, **options: drawn.append(options))
    old, _ = tips.held_out(Experiment.preset("smoke", data_seed=5), specimens=3)
    assert drawn == [{"specimens": 3, "frames": 2, "size": (512, 640), "seed": 7}]
    assert old.is_relative_to(tmp_path) and "512x640" in old.parent.name


def test_a_page_names_losses_and_says_what_was_missed():
    shown = tips.page_table({"dice+tip": TipErrors(np.array([1.0, INF, INF]))}).to_html()
    assert "Dice + Gaussian tip" in shown and ">missed<" in shown and "inf" not in shown
    assert tips.table({}).empty


def test_true_masks_and_numbers(tmp_path):
    synthetic.generate(tmp_path, specimens=2, frames=2, size=(96, 120), seed=3)
    true = tips.from_true_masks(find_pairs(tmp_path / "old", tmp_path / "new"))
    table = tips.table(true)
    assert table["tips"].tolist() == [4, 4] and (table["found within 5 px"] == 1).all()
    better = [{"variant": "dice+tip", "measure": "median error [px]", "better": True}]
    found = tips.numbers(true, pd.DataFrame(better))
    assert (found["pictures"], found["help"]) == (4, "Dice + Gaussian tip") and found["union_median"] < 5
    assert tips.numbers(true, tip_losses.against_base(None))["help"] == "none"


def test_figure_ends_below_one_where_tips_were_missed():
    errors = {"dice": TipErrors(np.array([1.0, 4, INF, INF]))}
    figure = figures.tips_found(("one", errors), ("nothing", {}))
    (curve,) = [line for line in figure.axes[0].lines if line.get_label() == "dice"]
    assert curve.get_ydata()[-1] == 0.5 and curve.get_xdata()[-1] == 100
    plt.close(figure)
