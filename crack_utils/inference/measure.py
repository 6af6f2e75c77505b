"""From a photograph and its crack probability to its measured cracks, the primary one's tips followed to their ends."""

import math

from crack_utils.geometry import follow_tips, measure_cracks, with_continuation

LEAST = 5.0  # [px] length: what is shorter, also after following, is a speck and no crack
# If it is at least this likely that the primary crack is not among the lines, none is reported. Chosen on drawn
# pictures: with 0.5, many more of the cracks that are hard to see would be lost.
NO_CRACK = 0.7
_AGAIN = 4  # at most so often is a crack measured again because it continues to another one or leaves the picture


def measure(image, probability, threshold, mm_per_px=None, predictor=None, primary=None, notch=None, all_lines=False):
    """Measure the cracks of a photograph as `crack-utils predict` and the page do.

    Parameters
    ----------
    image : ndarray, float, shape (H, W), in [0, 1]
    probability : ndarray, float, shape (H, W), in [0, 1]
        What a network says of it.
    threshold : float in (0, 1)
        A probability at least as large is crack.
    mm_per_px : float, optional
    predictor : Predictor, optional
        The network, where it saw the photograph reduced: near the tips it looks at the photograph's own pixels.
    primary, notch : (row, column), optional
        What a person says of the primary crack, as for `measure_cracks`.
    all_lines : bool
        Whether lines that are hardly cracks are measured, too: where a person has drawn some, or set the threshold.

    Returns
    -------
    list of Crack
        The primary crack first. Where the photograph shows that it continues to another one, both are one crack.
        Specks, shorter than `LEAST`, are left out, except for a primary crack that a person has chosen. Empty where the
        photograph says that the lines are something else, such as cables or edges (`NO_CRACK`), unless a person has
        chosen the primary crack.
    """
    # A network that saw the photograph as it is has said already that the crack ends there; asked again, it would
    # keep the photograph's own evidence from being followed.
    native = (lambda part: predictor.predict(image[part], scale=1)) if predictor else None
    for _ in range(_AGAIN):
        cracks = measure_cracks(probability, mm_per_px, threshold, image, primary, notch, LEAST)
        if not cracks or (cracks[0].no_crack_probability >= NO_CRACK and not all_lines):
            return []
        all_lines = True  # what was a crack before it was joined to another one still is
        followed = follow_tips(cracks[0], image, native)
        continued = with_continuation(probability, threshold, cracks[0], followed)
        if continued is None:
            break
        probability = continued
    speck = followed.length < LEAST and primary is None  # then all the others are specks, too
    return [] if speck else [followed, *cracks[1:]]


def as_row(crack):
    """Return the measures of a crack as tables and JSON have them.

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
