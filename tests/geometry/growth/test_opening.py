"""The opening angle of drawn flanks."""

import numpy as np
import pytest
from skimage.draw import polygon2mask

from crack_utils.geometry import measure_cracks
from crack_utils.geometry.growth import (
    opening_angle,
)


def wedge(angle, turn, shape=(440, 440), length=180):
    """A crack with straight flanks: its mask, tip and other end."""
    tip = np.array([220.3, 219.7])
    out, half = np.array([np.sin(turn), np.cos(turn)]), length * np.tan(np.radians(angle / 2))
    across = np.array([-out[1], out[0]])
    corners = [tip, tip - length * out + half * across, tip - length * out - half * across]
    return polygon2mask(shape, corners), tip, tip - 0.9 * length * out


class TestOpening:
    @pytest.mark.parametrize("angle", [2, 5, 8, 11.2, 15, 25])
    def test_drawn_flanks_within_a_degree(self, angle):
        """Behind the tip that is found: where flanks are less than a pixel apart, the mask has no crack."""
        for turn in np.radians([0, 7, 20, 45, 90, 118, 250]):
            mask, tip, behind = wedge(angle, turn)
            ends = measure_cracks(mask)[0].centreline.points[[0, -1]]
            found = ends[np.hypot(*(ends - tip).T).argmin()]
            for mm_per_px in (0.012, 0.05):
                assert opening_angle(mask, found, behind, mm_per_px).angle == pytest.approx(angle, abs=1)

    def test_where_it_is_taken(self):
        mask, tip, behind = wedge(11.2, 0.3)
        fine, coarse = (opening_angle(mask, tip, behind, scale) for scale in (0.01, 0.1))
        assert (fine.near, fine.far, coarse.near, coarse.far) == (0.5, 1.5, 0.5, 6.5)
        short, tip, behind = wedge(11.2, 0.3, length=50)
        assert np.isnan(opening_angle(short, tip, behind, 0.01).angle)

    def test_what_is_no_distance_is_refused(self):
        mask, tip, behind = wedge(11.2, 0.3)
        with pytest.raises(ValueError, match="near < far"):
            opening_angle(mask, tip, behind, 0.1, near=2, far=1)
