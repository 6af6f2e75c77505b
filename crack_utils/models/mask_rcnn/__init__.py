"""Mask R-CNN (R04): find each crack's box, then its mask within the box; one concept a file.

`instances` cuts a mask into connected cracks; `backbone` gives maps of the picture at several strides; `anchors` are
the boxes to begin with, `boxes` their arithmetic; `targets` says what they should have become; `roi_align` cuts a box
out of the maps; `heads` judge it; `network` puts all together and learns.
"""

from .instances import Instances, mask_ceiling, match
from .network import MaskRCNN, mask_rcnn

__all__ = ["Instances", "MaskRCNN", "mask_ceiling", "mask_rcnn", "match"]
