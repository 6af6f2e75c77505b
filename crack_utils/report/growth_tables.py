"""The tables of analysed growth tests, as `crack-utils growth` writes them and the chapter on growth shows them."""

import math

import numpy as np
import pandas as pd


def readings_table(results):
    """Return all readings, one row a photograph, a DataFrame; columns that no test fills are left out."""
    table = pd.concat([result.readings for result in results], ignore_index=True)
    return table.dropna(axis=1, how="all")


def rates_table(results):
    """Return all growth rates, one row a rate, a DataFrame.

    Columns specimen, method, cycles, a_mm, rate_mm_per_cycle, delta_k_mpa_sqrt_m, valid, and each check of the
    standard: yes, no, or empty where it cannot be told.
    """
    parts = []
    for result in results:
        for method, rates in result.rates.items():
            words = {name: pd.Series(flag).map({1.0: "yes", 0.0: "no"}) for name, flag in rates.flags.items()}
            values = {"cycles": rates.cycles, "a_mm": rates.a, "rate_mm_per_cycle": rates.rate}
            values |= {"delta_k_mpa_sqrt_m": rates.delta_k, "valid": np.where(rates.valid, "yes", "no"), **words}
            named = {"specimen": result.specimen.name, "method": method}
            parts.append(pd.DataFrame({**named, **values}, index=range(len(rates.a))))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["specimen", "method"])


def paris_table(results):
    """Return Paris' law of each test, empty where it cannot be fitted, a DataFrame; rates in mm/cycle, ΔK in MPa √m."""
    rows = []
    for result in results:
        row = {"specimen": result.specimen.name, "load_ratio": result.specimen.load_ratio}
        if result.paris:
            law = result.paris
            row |= {"C": law.C, "C_low": law.C_interval[0], "C_high": law.C_interval[1]}
            row |= {"m": law.m, "m_low": law.m_interval[0], "m_high": law.m_interval[1], "level": law.level}
            row |= {"noise_mm": law.noise, "correlation": law.correlation, "readings": len(law.a)}
            row |= {"delta_k_low": law.delta_k[0], "delta_k_high": law.delta_k[1]}
        rows.append({**row, "note": result.note})
    return pd.DataFrame(rows)


def sheet_table(results):
    """Return the specimen sheet: what was tested and how it was calibrated, one row a specimen, a DataFrame."""
    rows = []
    for result in results:
        specimen, lengths, known = result.specimen, result.lengths, result.readings.dropna(subset=["a_mm"])
        sizes = {"W_mm": specimen.W, "B_mm": specimen.B, "a_n_mm": specimen.a_n, "diameter_mm": specimen.diameter}
        sizes |= {"wall_mm": specimen.wall, "load_ratio": specimen.load_ratio, "yield_mpa": specimen.yield_strength}
        sizes |= {"moment_arm_mm": specimen.moment_arm}
        # One scale for all photographs, as a person gives it, has no spread that could be measured.
        spread = 100 * lengths.residual or math.nan
        calibration = {"mm_per_px": lengths.mm_per_px, "mm_per_px_residual_percent": spread}
        test = {"photographs": len(result.readings), "with_crack": len(known)}
        test |= {"a_first_mm": known["a_together_mm"].iloc[0], "a_last_mm": known["a_together_mm"].iloc[-1]}
        test |= {"outliers": int((known["outlier"] == "yes").sum()), "repeatability_mm": _repeatability(known)}
        rows.append({"specimen": specimen.name, "kind": specimen.kind, **sizes, **calibration, **test})
    return pd.DataFrame(rows)


def _repeatability(known):
    """Return the standard deviation of the used lengths at equal cycles [mm]; NaN without such readings."""
    groups = known[known["used"] == "yes"].groupby("cycles")["a_mm"]
    free = groups.size().sum() - len(groups)
    return math.sqrt(((groups.size() - 1) * groups.var()).sum() / free) if free else math.nan
