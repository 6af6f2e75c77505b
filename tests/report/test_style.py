"""The look of the figures: what is written on them reads as plain text."""

import matplotlib.pyplot as plt

from crack_utils.report.figures.style import logarithmic, source_colours, use_style


def test_specimens_have_one_colour_each_whatever_is_beside_them():
    few, many = source_colours(["new", "old"]), source_colours(["old", "crackforest", "new", "cracktip_polymer"])
    assert few["old"] == many["old"] != few["new"] == many["new"]
    assert len({many[name] for name in ("old", "new", "crackforest", "cracktip_polymer")}) == 4


def test_a_logarithmic_axis_shows_no_formula():
    with plt.rc_context():
        use_style()
        figure, axes = plt.subplots()
        axes.plot([12, 40], [1e-6, 1e-3])
        logarithmic(axes.xaxis, axes.yaxis)
        figure.canvas.draw()
        labels = [
            text.get_text()
            for axis in (axes.xaxis, axes.yaxis)
            for minor in (False, True)
            for text in axis.get_ticklabels(minor=minor)
        ]
        plt.close(figure)
    assert "10⁻⁴" in labels and "20" in labels and not any("$" in label for label in labels)
