"""The figures of a growth test, each alone or all on one sheet: a–N, da/dN against ΔK, load curves, opening angle.

Each panel is drawn on matplotlib axes from a `growth_analysis.GrowthResult`.
"""

import textwrap

import numpy as np
from matplotlib.figure import Figure

from crack_utils.report.figures.style import CRACK, FOUND, MISSED, QUIET, SECONDARY, logarithmic
from crack_utils.runtime.typeset import number

TIPS = (SECONDARY, FOUND)
A4 = (8.27, 11.69)  # [in]
WIDTH = 115  # characters of a line above the figures
LINE = 0.0155  # height of such a line, as a share of the page
ROW, LOWEST = 0.22, 0.06  # shares of the page: height of a row of figures, and the lowest place of the last row


def lengths(axes, result):
    """Draw the crack's length against the cycles: readings with bounds, Paris' law, and what was left out."""
    table = result.readings.dropna(subset=["a_mm"])
    thousands, left_out = table["cycles"] / 1000, table["used"] == "no"
    used = table[~left_out]
    errors = np.stack([used["a_mm"] - used["a_low_mm"], used["a_high_mm"] - used["a_mm"]])
    style = {"fmt": ".", "color": QUIET, "elinewidth": 0.8, "label": "reading, 95 %" if result.paris else "reading"}
    axes.errorbar(used["cycles"] / 1000, used["a_mm"], errors, **style)
    if result.specimen.two_tips:
        for tip, colour in enumerate(TIPS, start=1):
            axes.plot(used["cycles"] / 1000, used[f"a_tip{tip}_mm"], lw=0.8, color=colour, label=f"tip {tip}")
    if result.paris:
        cycles = np.unique(used["cycles"]) / 1000
        axes.plot(cycles, result.paris.a, color=CRACK, label="Paris' law")
        axes.fill_between(cycles, *result.paris.a_interval, color=CRACK, alpha=0.25, lw=0)
        left_out |= (table["cycles"] / 1000).isin(cycles[result.paris.left_out])
    if left_out.any():
        axes.plot(thousands[left_out], table["a_mm"][left_out], "x", color=MISSED, mew=2, label="left out")
    axes.set(xlabel="cycles N [thousand]", ylabel="crack length a [mm]", title="Crack length")
    axes.legend()


def rates(axes, result):
    """Draw da/dN against ΔK on logarithmic axes; rates that fail a check of the standard are open."""
    for (method, values), colour in zip(result.rates.items(), (SECONDARY, FOUND), strict=False):
        label = method  # of the first points that are drawn: where no rate is valid, the legend shows an open one
        for chosen, filled in ((values.valid, colour), (~values.valid & (values.rate > 0), "none")):
            if chosen.any():
                axes.plot(values.delta_k[chosen], values.rate[chosen], "o", ms=4, mec=colour, mfc=filled, label=label)
                label = None
    if result.paris:
        law = result.paris
        span = np.geomspace(*law.delta_k, 50)
        axes.plot(span, law.rate(span), color=CRACK, label=f"C = {number(law.C, '.2e')}, m = {law.m:.2f}")
    axes.set(xlabel="ΔK [MPa √m]", ylabel="da/dN [mm/cycle]", title="Growth rate")
    logarithmic(axes.xaxis, axes.yaxis)
    axes.legend(title="open: a check failed", title_fontsize=8)


def load_opening(axes, result):
    """Draw the load against the opening of the mouth, as the machine read it and as the photographs show it."""
    table = result.readings
    if table["cmod_mm"].notna().any():
        axes.plot(table["cmod_mm"], table["load_n"] / 1000, ".-", color=QUIET, label="CMOD")
    if "opening_mm" in table:
        axes.plot(table["opening_grown_mm"], table["load_n"] / 1000, ".-", color=CRACK, label="opening in photographs")
    axes.set(xlabel="opening [mm]", ylabel="load [kN]", title="Load and opening")
    axes.legend()


def load_growth(axes, result):
    """Draw the growth of each tip and their mean against the load, without what is left out."""
    table = result.readings[result.readings["used"] != "no"]
    if result.specimen.two_tips:
        for tip, colour in enumerate(TIPS, start=1):
            axes.plot(table["load_n"] / 1000, table[f"delta_a_tip{tip}_mm"], ".-", color=colour, label=f"tip {tip}")
    axes.plot(table["load_n"] / 1000, table["delta_a_mm"], ".-", color=CRACK, label="mean")
    axes.set(xlabel="load [kN]", ylabel="growth Δa [mm]", title="Growth and load")
    axes.legend()


def opening_angles(axes, result):
    """Draw the opening angle of each tip against its growth, without what is left out."""
    table = result.readings[result.readings["used"] != "no"]
    for tip, colour in enumerate(TIPS, start=1):
        grown, angle = table[f"delta_a_tip{tip}_mm"], table[f"ctoa_tip{tip}_degrees"]
        axes.plot(grown, angle, "o", ms=4, color=colour, label=f"tip {tip}")
    axes.set(xlabel="growth Δa [mm]", ylabel="CTOA [°]", title="Opening angle of the tip")
    axes.legend()


PANELS = {
    "a-N": lengths,
    "rates": rates,
    "load-opening": load_opening,
    "load-growth": load_growth,
    "ctoa": opening_angles,
}


def growth_panels(result):
    """Return what can be drawn of a test, a dict of names to functions of (axes, result)."""
    pipe = result.specimen.kind == "pipe"
    can_be_drawn = {
        "a-N": result.readings["cycles"].notna().any(),
        "rates": bool(result.rates),
        "load-opening": pipe or result.readings["cmod_mm"].notna().any(),
        "load-growth": pipe,
        "ctoa": pipe,
    }
    return {name: draw for name, draw in PANELS.items() if can_be_drawn[name]}


def growth_panel(draw, result):
    """Return one of `growth_panels` as a Figure.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(6, 4.2), layout="constrained")
    draw(figure.add_subplot(), result)
    figure.suptitle(f"{result.specimen.name}, {result.specimen.kind}", fontsize=9, color=QUIET, x=0.01, ha="left")
    return figure


def growth_sheet(result, facts):
    """Return the sheet of a test, an A4 page.

    Parameters
    ----------
    result : GrowthResult
    facts : list of str
        Lines that stand above the figures.

    Returns
    -------
    matplotlib Figure
    """
    panels = growth_panels(result)
    figure = Figure(figsize=A4, layout="none")
    figure.text(0.08, 0.95, f"Crack growth test: {result.specimen.name}", fontsize=15, weight="bold")
    text = "\n".join(textwrap.fill(fact, WIDTH) for fact in facts)
    figure.text(0.08, 0.935, text, fontsize=8.5, va="top", linespacing=1.5)
    top = min(0.77, 0.89 - LINE * (1 + text.count("\n")))
    rows = (len(panels) + 1) // 2
    bottom = max(top - ROW * rows, LOWEST)  # with many lines above them, the figures are less tall
    grid = figure.add_gridspec(rows, 2, left=0.1, right=0.96, top=top, bottom=bottom, wspace=0.3, hspace=0.45)
    for place, draw in enumerate(panels.values()):
        draw(figure.add_subplot(grid[place // 2, place % 2]), result)
    return figure
