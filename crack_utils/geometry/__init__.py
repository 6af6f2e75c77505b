"""Geometry of cracks: skeleton, tip, length and width, in pixels and millimetres.

`find_tip` tells where the primary crack ends, `tip_errors` how far that is from the truth, `measure_cracks` how long
and wide each crack is, `follow_tips` goes on from a mask's end to the end of what the photograph shows. Needs NumPy,
SciPy and scikit-image only.
"""

from crack_utils.geometry.cracks import Crack, follow_tips, measure_cracks
from crack_utils.geometry.errors import TipErrors, tip_errors
from crack_utils.geometry.tip import Tip, find_tip

__all__ = ["Crack", "Tip", "TipErrors", "find_tip", "follow_tips", "measure_cracks", "tip_errors"]
