"""Stress intensity factors of the specimens of growth tests, each with its source and range of validity.

Lengths are in mm, loads in N, stress intensities in MPa √m. Functions of a ratio have no unit.
"""

import numpy as np

SQRT_M = 1000**0.5  # [√mm] in a √m


def compact_tension(alpha):
    """Return K B √W / P of a C(T) specimen (ASTM E399 A4, E647 A1; Srawley 1976).

    `alpha` = a/W is an array of any shape, and the result has the same shape. The error is at most 0.5 % for
    0.2 ≤ a/W < 1.
    """
    alpha = np.asarray(alpha, float)
    series = np.polynomial.Polynomial([0.886, 4.64, -13.32, 14.72, -5.6])
    return (2 + alpha) * series(alpha) / (1 - alpha) ** 1.5


def middle_tension(alpha):
    """Return K B √W / P of an M(T) specimen (ASTM E647 A2; Feddersen 1966).

    `alpha` = 2a/W is an array of any shape, and the result has the same shape. The formula is valid for 2a/W < 0.95.
    """
    alpha = np.asarray(alpha, float)
    return np.sqrt(np.pi * alpha / 2 / np.cos(np.pi * alpha / 2))


def bend(alpha):
    """Return K B W^1.5 / (P S) of an SE(B) specimen with a span of S = 4 W (ASTM E399 A3; Srawley 1976).

    `alpha` = a/W is an array of any shape in [0, 1), and the result has the same shape. The error is at most 0.5 %.
    """
    alpha = np.asarray(alpha, float)
    series = 1.99 - alpha * (1 - alpha) * (2.15 - 3.93 * alpha + 2.7 * alpha**2)
    return 3 * np.sqrt(alpha) * series / (2 * (1 + 2 * alpha) * (1 - alpha) ** 1.5)


def pipe_bending(share, slenderness):
    """Return K / (σ √(π R θ)) of a pipe with a circumferential through-wall crack in bending.

    Zahoor 1985 (Journal of Pressure Vessel Technology 107, 203–205), as in Anderson, Fracture Mechanics, Table 12.29;
    σ = M / (π R² t) is the bending stress, R the mean radius.

    Parameters
    ----------
    share : array
        θ/π: half of the crack's angle, divided by π; at most 0.55.
    slenderness : float
        R/t: mean radius divided by wall thickness, 5 to 20.

    Returns
    -------
    ndarray
        Of the shape of `share`, without unit.
    """
    share = np.asarray(share, float)
    thin = 0.125 * slenderness - 0.25 if slenderness <= 10 else 0.4 * slenderness - 3.0
    return 1 + max(thin, 0.0) ** 0.25 * (4.5967 * share**1.5 + 2.6422 * share**4.24)


def stress_intensity(specimen, a, load):
    """Return the stress intensity factor of a specimen.

    Parameters
    ----------
    specimen : Specimen
    a : array
        Crack length [mm], between 0 and `specimen.longest`.
    load : array
        Load [N]. With the load range of a cycle, the result is ΔK.

    Returns
    -------
    ndarray
        K [MPa √m], of the common shape of `a` and `load`.

    Raises
    ------
    ValueError
        If a pipe has no moment arm.

    Examples
    --------
    >>> from crack_utils.geometry.growth import Specimen
    >>> round(float(stress_intensity(Specimen("a", "C(T)", 10, W=50, B=10), 25, 10_000)), 2)
    43.2
    """
    a, load = np.asarray(a, float), np.asarray(load, float)
    if specimen.kind == "pipe":
        if specimen.moment_arm is None:
            raise ValueError(
                f"{specimen.name}: a pipe needs moment_arm (bending moment / load) for its stress intensity"
            )
        radius = (specimen.diameter - specimen.wall) / 2
        angle = 2 * a / specimen.diameter
        stress = load * specimen.moment_arm / (np.pi * radius**2 * specimen.wall)
        shape = pipe_bending(angle / np.pi, radius / specimen.wall)
        return stress * np.sqrt(np.pi * radius * angle) * shape / SQRT_M
    nominal = load / (specimen.B * np.sqrt(specimen.W)) / SQRT_M
    if specimen.kind == "C(T)":
        return nominal * compact_tension(a / specimen.W)
    if specimen.kind == "M(T)":
        return nominal * middle_tension(2 * a / specimen.W)
    return nominal * 4 * bend(a / specimen.W)


def in_range(specimen, a):
    """Return whether the formula of a specimen is valid at crack lengths `a` [mm], an array of bool of their shape."""
    a = np.asarray(a, float)
    if specimen.kind == "pipe":
        slenderness = (specimen.diameter - specimen.wall) / 2 / specimen.wall
        share = 2 * a / specimen.diameter / np.pi
        return (share > 0) & (share <= 0.55) & (5 <= slenderness <= 20)
    low, high = {"C(T)": (0.2, 1.0), "M(T)": (0.0, 0.475), "SE(B)": (0.0, 1.0)}[specimen.kind]
    return (a >= low * specimen.W) & (a < high * specimen.W) & (a > 0)
