"""The specimens of growth tests: their kinds and sizes, and checks of these."""

from dataclasses import dataclass

import numpy as np

# The sizes that each kind needs in addition to `a_n`.
KINDS = {"C(T)": ("W", "B"), "M(T)": ("W", "B"), "SE(B)": ("W", "B"), "pipe": ("diameter", "wall")}
TWO_TIPS = ("M(T)", "pipe")


@dataclass(frozen=True)
class Specimen:
    """A specimen of a growth test, and its loading.

    The crack length `a` is defined as in the standards. For C(T) it is measured from the load line, for SE(B) from the
    edge. For M(T) it is half of the crack's length, and for a pipe half of the crack's arc on the outer surface.

    Attributes
    ----------
    name : str
    kind : str
        One of `KINDS`.
    a_n : float
        Length of the notch, measured like `a` [mm].
    W, B : float, optional
        Width and thickness of C(T), M(T) and SE(B) [mm]. The span of SE(B) is 4 W.
    diameter, wall : float, optional
        Outer diameter and wall thickness of a pipe [mm].
    load_ratio : float
        R: minimum load divided by maximum load of a cycle; less than 1, and -10 at least.
    yield_strength : float, optional
        Yield strength [MPa]; needed to check whether the ligament is large enough.
    moment_arm : float, optional
        Bending moment of a pipe divided by its load [mm], needed for its stress intensity. In four-point bending it is
        half of the distance between an inner and an outer support.
    curvature : float
        Crack length inside the specimen minus that on its faces, measured on the broken specimen [mm].
    notch : (row, column), optional
        Position of the notch's tip in the first photograph [px]; with two tips, that of the notch's middle.
    direction : float, optional
        Direction in which the notch points, counter-clockwise from the right [degrees].
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
        """True if the crack grows at both ends."""
        return self.kind in TWO_TIPS

    @property
    def longest(self):
        """Crack length at which the specimen is broken completely [mm]."""
        return {"M(T)": lambda: self.W / 2, "pipe": lambda: np.pi * self.diameter / 2}.get(self.kind, lambda: self.W)()

    def effective(self, load):
        """Return the range of the load that opens the crack, for ΔK.

        A crack that is closed by a negative load does not feel it: for R ≤ 0 the range is the maximum alone
        (ASTM E647, definition of ΔK).

        Parameters
        ----------
        load : float, or ndarray of any shape
            Maximum load of a cycle, in any unit.

        Returns
        -------
        float or ndarray
            In the same unit and shape.
        """
        return load * (1 - max(self.load_ratio, 0.0))

    def problems(self):
        """Check kind, sizes and load ratio; return a list of messages (str), empty if all are valid."""
        if self.kind not in KINDS:
            return [f"kind {self.kind!r} is unknown; valid are {', '.join(KINDS)}"]
        missing = [name for name in KINDS[self.kind] if getattr(self, name) is None]
        if missing:
            return [f"{self.kind} needs {' and '.join(missing)}"]
        sizes = ("a_n", *KINDS[self.kind], "yield_strength", "moment_arm")
        values = {name: getattr(self, name) for name in sizes if getattr(self, name) is not None}
        wrong = [f"{name} = {value:g} is not above 0" for name, value in values.items() if not value > 0]
        if not -10 <= self.load_ratio < 1:
            wrong.append(f"load_ratio = {self.load_ratio:g} must be at least -10 and below 1")
        if self.kind == "pipe" and not wrong and 2 * self.wall >= self.diameter:
            wrong.append(f"wall = {self.wall:g} mm does not fit diameter = {self.diameter:g} mm")
        if not wrong and self.a_n >= self.longest:
            limits = {"M(T)": f"W/2 = {self.longest:g}", "pipe": f"half the circumference, {self.longest:.1f}"}
            limit = limits.get(self.kind, f"W = {self.longest:g}")
            wrong.append(f"a_n = {self.a_n:g} mm is not smaller than {limit} mm")
        if not wrong and not -self.a_n < self.curvature < self.longest - self.a_n:
            limits = f"-{self.a_n:g} and {self.longest - self.a_n:g} mm"
            wrong.append(f"curvature = {self.curvature:g} mm does not lie between {limits}")
        return wrong
