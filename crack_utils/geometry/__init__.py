"""Geometry of cracks: skeleton, tip, length and width, in pixels and millimetres.

`find_tip` tells where the primary crack ends, `tip_errors` how far that is from the truth, `measure_cracks` how long
and wide each crack is. Needs NumPy, SciPy and scikit-image only.
"""

from crack_utils.geometry.cracks import Crack, measure_cracks
from crack_utils.geometry.errors import TipErrors, tip_errors
from crack_utils.geometry.tip import Tip, find_tip

__all__ = ["Crack", "Tip", "TipErrors", "find_tip", "measure_cracks", "tip_errors"]
