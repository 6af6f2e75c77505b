"""What the sizes of a specimen have to be."""

import pytest

from crack_utils.geometry.growth import (
    KINDS,
    Specimen,
)
from tests.helpers.growth_specimens import BEAM, COMPACT, MIDDLE, PIPE


class TestSpecimen:
    @pytest.mark.parametrize(
        ("values", "message"),
        [
            ({"kind": "CT"}, "valid are C\\(T\\), M\\(T\\), SE\\(B\\), pipe"),
            ({"kind": "C(T)", "W": 50}, "needs W and B|needs B"),
            ({"kind": "C(T)", "W": 10, "B": 5}, "a_n = 12 mm is not smaller than W = 10 mm"),
            ({"kind": "M(T)", "W": 20, "B": 5}, "W/2 = 10"),
            ({"kind": "C(T)", "W": 50, "B": -5}, "B = -5 is not above 0"),
            ({"kind": "C(T)", "W": 50, "B": 5, "load_ratio": 1.0}, "load_ratio = 1 must be at least -10 and below 1"),
            ({"kind": "C(T)", "W": 50, "B": 5, "load_ratio": -1e6}, "must be at least -10"),
            ({"kind": "pipe", "diameter": 20, "wall": 10}, "does not fit"),
            ({"kind": "pipe", "diameter": 7, "wall": 1}, "half the circumference, 11.0"),
        ],
    )
    def test_what_is_wrong_is_named(self, values, message):
        with pytest.raises(AssertionError, match=message):
            assert not Specimen("x", a_n=12, **values).problems()

    def test_what_is_right_is_let_through(self):
        assert not [why for specimen in (COMPACT, MIDDLE, BEAM, PIPE) for why in specimen.problems()]
        assert {specimen.kind for specimen in (COMPACT, MIDDLE, BEAM, PIPE)} == set(KINDS)
