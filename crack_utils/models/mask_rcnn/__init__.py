"""Mask R-CNN (R04): find the box of each crack, then its mask within the box.

`instances` divides a mask into connected cracks. `backbone` computes feature maps at several strides. `anchors` are the
initial boxes, and `boxes` has the arithmetic of boxes. `targets` assigns true boxes to anchors and proposals.
`roi_align` cuts a box out of the feature maps, and `heads` classify it. `network` combines all parts.
"""

from .network import MaskRCNN, mask_rcnn

__all__ = ["MaskRCNN", "mask_rcnn"]
