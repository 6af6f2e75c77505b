"""The specimens of a growth test: kinds, sizes, and what is wrong with them."""

from dataclasses import dataclass

import numpy as np

# The sizes that a kind needs besides `a_n`.
KINDS = {"C(T)": ("W", "B"), "M(T)": ("W", "B"), "SE(B)": ("W", "B"), "pipe": ("diameter", "wall")}
TWO_TIPS = ("M(T)", "pipe")


@dataclass(frozen=True)
class Specimen:
    """A specimen and how it is loaded.

    The crack's length `a` is measured as the standards do: from the load line in C(T), from the edge in SE(B), half of
    the crack in M(T), and in a pipe half of the crack's arc on the outer surface.

    Attributes
    ----------
    name : str
    kind : str
        One of `KINDS`.
    a_n : float
        The notch's length, measured as `a` [mm].
    W, B : float, optional
        Width and thickness [mm]; of C(T), M(T) and SE(B). The span of SE(B) is 4 W.
    diameter, wall : float, optional
        Outer diameter and wall of a pipe [mm].
    load_ratio : float
        R, smallest load over largest load of a cycle; below 1.
    yield_strength : float, optional
        [MPa]; needed to tell whether the ligament is large enough.
    moment_arm : float, optional
        Bending moment over load [mm], of a pipe; in four-point bending half of the distance between an inner and an
        outer support. Needed for the stress intensity of a pipe.
    curvature : float
        How much longer the crack is inside than on the faces, as read from the broken specimen [mm].
    notch : (row, column), optional
        Of a specimen with one tip: where the tip of its notch is in the photographs [px].
    direction : float, optional
        In which the notch points, counter-clockwise from the rows to the right [degrees].
    """

    name: str
    kind: str
    a_n: float
    W: float | None = None
    B: float | None = None
    diameter: float | None = None
    wall: float | None = None
    load_ratio: float = 0.0
    yield_strength: float | None = None
    moment_arm: float | None = None
    curvature: float = 0.0
    notch: tuple | None = None
    direction: float | None = None

    @property
    def two_tips(self):
        """Whether the crack grows at both ends."""
        return self.kind in TWO_TIPS

    @property
    def longest(self):
        """The crack length at which nothing is left to break [mm]."""
        return {"M(T)": lambda: self.W / 2, "pipe": lambda: np.pi * self.diameter / 2}.get(self.kind, lambda: self.W)()

    def problems(self):
        """Return all that is wrong with kind, sizes and load ratio, a list of str."""
        if self.kind not in KINDS:
            return [f"kind {self.kind!r} is not known; known are {', '.join(KINDS)}"]
        missing = [name for name in KINDS[self.kind] if getattr(self, name) is None]
        if missing:
            return [f"{self.kind} needs {' and '.join(missing)}"]
        sizes = ("a_n", *KINDS[self.kind], "yield_strength", "moment_arm")
        values = {name: getattr(self, name) for name in sizes if getattr(self, name) is not None}
        wrong = [f"{name} = {value:g} is not above 0" for name, value in values.items() if not value > 0]
        if not self.load_ratio < 1:
            wrong.append(f"load_ratio = {self.load_ratio:g} is not below 1")
        if self.kind == "pipe" and not wrong and 2 * self.wall >= self.diameter:
            wrong.append(f"wall = {self.wall:g} mm does not fit a diameter of {self.diameter:g} mm")
        if not wrong and self.a_n >= self.longest:
            what = {"M(T)": f"W/2 = {self.longest:g}", "pipe": f"half the girth, {self.longest:.1f}"}
            wrong.append(f"a_n = {self.a_n:g} mm is not smaller than {what.get(self.kind, f'W = {self.longest:g}')} mm")
        return wrong
