"""The picture that marks and objects are painted on."""

import numpy as np

from crack_utils.data.synthetic.drawing import paint, stroke
from crack_utils.geometry.centreline import arc_length, points_at

CLEAR = 0.025  # [units of the picture] smallest distance from a crack of marks that look like one or would hide it


class Canvas:
    """A picture that is being painted, and the ways into its coordinates.

    Parameters
    ----------
    image : ndarray of float32, shape (height, width)
        Painted in place.
    grids : (x, y, u, v)
        Positions in the picture's and in the specimen's frame, ndarrays of float32, shape (height, width).
    scale : float
        Pixels per unit.
    to_pixels : function
        From (x, y), shape (n, 2), to (row, column).
    cracks : ndarray, shape (n, 2)
        (x, y) of points along all cracks at their longest.

    All are attributes of the same names; the grids are the attributes `x`, `y`, `u` and `v`.
    """

    def __init__(self, image, grids, scale, to_pixels, cracks):
        self.image, self.scale, self.to_pixels, self.cracks = image, scale, to_pixels, cracks
        self.x, self.y, self.u, self.v = grids

    def clear(self, points, distance):
        """Whether points (x, y), shape (n, 2), keep a distance from the points along all cracks."""
        if not len(self.cracks):
            return True
        points = np.asarray(points, float)
        return np.min(np.hypot(*(points[:, None] - self.cracks[None]).transpose(2, 0, 1))) > distance

    def line(self, points, half_width, value, opacity=1.0, within=None):
        """Draw a line.

        Parameters
        ----------
        points : sequence of (x, y)
        half_width : float
            In units of the frame.
        value : float
            Gray value, in [0, 1].
        opacity : float in [0, 1]
        within : ndarray of float, shape (height, width), optional
            Share of each pixel that may be painted, in [0, 1].
        """
        drawn = stroke(self.image.shape, self.to_pixels(np.asarray(points, float)), half_width * self.scale)
        if drawn is not None:
            paint(self.image, drawn, value, opacity if within is None else opacity * within[drawn.window])


def resample(points, step=0.02):
    """Return points along a polyline, (n, 2), at equal distances of about `step`; shape (m, 2)."""
    points = np.asarray(points, float)
    length = arc_length(points)[-1]
    return points_at(points, np.linspace(0, length, max(2, int(length / step) + 1)))
