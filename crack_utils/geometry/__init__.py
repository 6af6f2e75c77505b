"""Geometry of cracks: skeleton, tip, length and width, in pixels and millimetres.

`find_tip` finds the tip of the primary crack, and `tip_errors` its distance from the true tip. `measure_cracks`
measures each crack. `follow_tips` extends a crack beyond the end of its mask, as far as the photograph shows it. Only
NumPy, SciPy and scikit-image are needed.
"""

from crack_utils.geometry.cracks import Crack, follow_tips, measure_cracks, part_of, with_continuation
from crack_utils.geometry.errors import TipErrors, tip_errors
from crack_utils.geometry.tip import Tip, find_tip

__all__ = [
    "Crack",
    "Tip",
    "TipErrors",
    "find_tip",
    "follow_tips",
    "measure_cracks",
    "part_of",
    "tip_errors",
    "with_continuation",
]
