"""Synthetic photographs of specimens under test, with exact ground truth: the data that the book embeds.

A notched specimen in a rig, its primary crack growing from frame to frame, secondary cracks, and all that hinders:
marks, uneven light, blur, noise. `PATTERNS` are other cracks and other bodies, on demand. `render` gives one
photograph, `generate` writes a data set.
"""

from crack_utils.data.synthetic.dataset import generate
from crack_utils.data.synthetic.patterns import GROWING, PATTERNS
from crack_utils.data.synthetic.photograph import VERSION, Photograph, render

__all__ = ["GROWING", "PATTERNS", "VERSION", "Photograph", "generate", "render"]
