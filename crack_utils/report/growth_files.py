"""What a growth test leaves on the disk: tables, figures, and a sheet of paper."""

from pathlib import Path

import pandas as pd
from matplotlib.backends.backend_pdf import PdfPages

from crack_utils.report.figures.growth_sheet import PANELS, growth_panel, growth_panels, growth_sheet
from crack_utils.report.figures.style import use_style
from crack_utils.report.growth_tables import paris_table, rates_table, readings_table, sheet_table
from crack_utils.runtime import paths
from crack_utils.runtime.atomic import atomic_write, check_writable
from crack_utils.runtime.typeset import number

TABLES = {"sheet": sheet_table, "readings": readings_table, "rates": rates_table, "paris": paris_table}


def check_place(folder):
    """Refuse a place for results that is not a folder, or where `write_report` would replace files of somebody else.

    Parameters
    ----------
    folder : path-like

    Raises
    ------
    ValueError
        The message names the file and what is valid.
    NotADirectoryError, PermissionError
        If the folder is a file, or nothing may be written there.
    """
    folder = Path(folder)
    check_writable(folder)
    if (folder / "readings").is_dir():  # an earlier call
        return
    for name in (*(f"{name}.csv" for name in TABLES), "growth.pdf"):
        if (folder / name).exists():
            raise ValueError(f"{folder}: has {name}, which growth did not write; give another folder for the results")


def write_report(results, folder):
    """Write the tables (CSV), the figures in `figures/` (PNG) and `growth.pdf`, a page a specimen.

    Parameters
    ----------
    results : list of GrowthResult
    folder : path-like
        Made if it is not there.
    """
    folder = Path(folder)
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    earlier = _earlier_figures(folder)
    for name, table in TABLES.items():
        with atomic_write(folder / f"{name}.csv") as draft:
            table(results).to_csv(draft, index=False, float_format="%.9g")
    use_style()
    figures = {
        _figure(folder, result.specimen.name, name): (draw, result)
        for result in results
        for name, draw in growth_panels(result).items()
    }
    for file in earlier - set(figures):  # no longer a result
        file.unlink(missing_ok=True)
    for file, (draw, result) in figures.items():
        with atomic_write(file) as draft:
            growth_panel(draw, result).savefig(draft, dpi=160)
    with atomic_write(folder / "growth.pdf") as draft, PdfPages(draft, metadata={"CreationDate": None}) as pages:
        for result in results:
            pages.savefig(growth_sheet(result, facts(result)))


def _earlier_figures(folder):
    """Return the figures that an earlier call may have written, by the specimens of its sheet: set of Path."""
    try:
        specimens = pd.read_csv(folder / "sheet.csv", dtype=str)["specimen"].dropna()
    except (OSError, ValueError, KeyError):  # none, or not one of ours
        return set()
    return {_figure(folder, specimen, panel) for specimen in specimens for panel in PANELS}


def _figure(folder, specimen, panel):
    return folder / "figures" / f"{paths.file_name(specimen)}-{panel}.png"


def facts(result):
    """Return the lines above a sheet's figures: specimen, calibration, readings, law, and what speaks against them."""
    row = sheet_table([result]).iloc[0]
    units = {"W_mm": "W", "B_mm": "B", "a_n_mm": "notch", "diameter_mm": "diameter", "wall_mm": "wall"}
    sizes = ", ".join(f"{name} {row[column]:g} mm" for column, name in units.items() if pd.notna(row[column]))
    spread = row["mm_per_px_residual_percent"]
    spread = f"{spread:.2g} %" if pd.notna(spread) else "not known, as one scale is given for all"
    lines = [
        f"{row['kind']}: {sizes}; load ratio R = {row['load_ratio']:g}",
        f"Scale: {row['mm_per_px']:.5g} mm/px, its spread over the photographs {spread}",
        f"Photographs: {row['photographs']}, {row['with_crack']} with a crack; "
        f"a from {row['a_first_mm']:.2f} to {row['a_last_mm']:.2f} mm; outliers: {row['outliers']}",
    ]
    if pd.notna(row["repeatability_mm"]):
        lines.append(f"Lengths at equal cycles scatter by {row['repeatability_mm']:.3f} mm")
    law = result.paris
    if law:
        lines += [
            f"Paris' law, da/dN = C ΔKᵐ in mm/cycle and MPa √m, with {number(law.level, '.0%')} intervals: "
            f"C = {number(law.C, '.3g')} ({number(law.C_interval[0], '.3g')} to {number(law.C_interval[1], '.3g')}),",
            f"m = {law.m:.3f} ({law.m_interval[0]:.3f} to {law.m_interval[1]:.3f}), "
            f"ΔK from {law.delta_k[0]:.1f} to {law.delta_k[1]:.1f}; readings scatter by {law.noise:.3f} mm about it",
        ]
    for method, rates in result.rates.items():
        failed = [f"{name} {int((flag == 0).sum())}" for name, flag in rates.flags.items() if (flag == 0).any()]
        untold = [name for name, flag in rates.flags.items() if (flag != flag).all() and len(flag)]
        checks = f"; failed checks of ASTM E647: {', '.join(failed) or 'none'}"
        checks += f"; not to be told: {', '.join(untold)}" if untold else ""
        lines.append(f"da/dN by {method}: {len(rates.rate)} rates, {int(rates.valid.sum())} valid{checks}")
    return lines + ([f"Note: {result.note}"] if result.note else [])
