"""Synthetic photographs of specimens under test, with exact ground truth: the data that the book embeds.

A notched specimen in a rig, its primary crack growing from frame to frame, secondary cracks, and all that hinders:
marks, uneven light, blur, noise. `PATTERNS` are other cracks and other bodies, on demand. `render` gives one
photograph, `generate` writes a data set. `render_specimen` draws far more widely, for networks that meet photographs.
"""

from crack_utils.data.synthetic.dataset import generate
from crack_utils.data.synthetic.patterns import GROWING, PATTERNS
from crack_utils.data.synthetic.photograph import VERSION, Photograph, render
from crack_utils.data.synthetic.wide import SpecimenPhotograph, render_specimen

__all__ = [
    "GROWING",
    "PATTERNS",
    "VERSION",
    "Photograph",
    "SpecimenPhotograph",
    "generate",
    "render",
    "render_specimen",
]
