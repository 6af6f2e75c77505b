"""Synthetic photographs of specimens in a test rig, with exact ground truth: the data set of the book.

The photographs show a notched specimen with a primary crack that grows from frame to frame, secondary cracks, and
difficulties such as marks, uneven light, blur and noise. `render` draws one photograph, and `generate` writes a data
set. `PATTERNS` are optional other kinds of cracks and specimens. `render_specimen` draws a wider variety of specimens,
to train networks that will be used on real photographs.
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
