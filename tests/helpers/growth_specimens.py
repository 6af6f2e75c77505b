"""A specimen of each kind that growth tests know."""

from crack_utils.geometry.growth import Specimen

COMPACT = Specimen("c", "C(T)", 12, W=50, B=10, load_ratio=0.1)
MIDDLE = Specimen("m", "M(T)", 10, W=100, B=5, load_ratio=0.5)
BEAM = Specimen("s", "SE(B)", 10, W=40, B=20)
PIPE = Specimen("p", "pipe", 30, diameter=210, wall=10, moment_arm=500)  # R/t = 10
