"""Measure the cracks of a photograph from its crack probability, and follow the primary crack to its tips."""

import math

from crack_utils.geometry import follow_tips, measure_cracks, with_continuation

LEAST = 5.0  # [px] length: shorter pieces, also after following, are specks, not cracks
# If the probability that no line is the primary crack is at least this, no crack is reported. It was chosen on drawn
# pictures: with 0.5, many more of the cracks that are hard to see would be lost.
NO_CRACK = 0.7
_AGAIN = 4  # how often a crack is measured at most; it is measured again if it continues to another crack or the border


def measure(image, probability, threshold, mm_per_px=None, predictor=None, primary=None, notch=None, all_lines=False):
    """Measure the cracks of a photograph as `crack-utils predict` and the page do.

    Parameters
    ----------
    image : ndarray, float, shape (H, W), in [0, 1]
    probability : ndarray, float, shape (H, W), in [0, 1]
        The output of a network for the photograph.
    threshold : float in (0, 1)
        A probability at least as large is crack.
    mm_per_px : float, optional
    predictor : Predictor, optional
        The network, if it predicted the photograph reduced: near the tips it then predicts at full resolution.
    primary, notch : (row, column), optional
        Positions that a person has given, as for `measure_cracks`.
    all_lines : bool
        Whether lines that are probably not cracks are measured too: if a person has drawn cracks or set the threshold.

    Returns
    -------
    list of Crack
        The primary crack first. If the photograph shows that it continues to another crack, both are one crack. Specks,
        shorter than `LEAST`, are left out, except for a primary crack that a person has chosen. The list is empty if
        the lines are probably something else, such as cables or edges (`NO_CRACK`), unless a person has chosen the
        primary crack.
    """
    # At full resolution, the network has already predicted that the crack ends there. A second prediction would be the
    # same, and would prevent following the crack by its gray values.
    native = (lambda part: predictor.predict(image[part], scale=1)) if predictor else None
    for _ in range(_AGAIN):
        cracks = measure_cracks(probability, mm_per_px, threshold, image, primary, notch, LEAST)
        if not cracks or (cracks[0].no_crack_probability >= NO_CRACK and not all_lines):
            return []
        all_lines = True  # a joined crack has passed the test above
        followed = follow_tips(cracks[0], image, native)
        continued = with_continuation(probability, threshold, cracks[0], followed)
        if continued is None:
            break
        probability = continued
    speck = followed.length < LEAST and primary is None  # then all others are specks too
    return [] if speck else [followed, *cracks[1:]]


def as_row(crack):
    """Return the measures of a crack as a dict, for tables and JSON.

    Returns
    -------
    dict
        Numbers to four decimals, None for what is not known.
    """
    return {name: _plain(value) for name, value in crack.to_dict().items()}


def _plain(value):
    if not isinstance(value, float):
        return value
    return round(value, 4) if math.isfinite(value) else None
