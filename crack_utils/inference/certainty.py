"""How sure a measurement is, in words: from the network's calibration, and from how unusual the photograph is."""

import math

from crack_utils.data.images import resize_image
from crack_utils.runtime.typeset import joined, number


def how_sure(trained, image, cracks, threshold=None, unlike=None, corrections=()):
    """Say how far length and tip of the primary crack may be off, and whether the photograph is an unusual one.

    Parameters
    ----------
    trained : Predictor
    image : ndarray, float, shape (H, W), in [0, 1]
    cracks : list of geometry.Crack
        Found in it, the primary crack first.
    threshold : float, optional
        At which they were found; by default the one that the network was calibrated for. Its bounds hold for no other,
        and not where it sees the photograph at several scales.
    unlike : list of str, optional
        What `unlike_the_training` says, where that is known already.
    corrections : sequence of str
        What a person has decided, such as "mask": the network's bounds do not hold for it.

    Returns
    -------
    sure : list of str
        Sentences about the crack.
    warnings : list of str
        Sentences that say in which way the photograph is unlike those of the training.
    """
    own, scales = trained.scale(image.shape), trained.scales(image.shape)
    intervals = trained.calibration.get("intervals")
    other = [
        name
        for name, differs in (
            ("threshold", threshold is not None and abs(threshold - trained.threshold) > 0.005),
            ("scale", len(scales) > 1),
        )
        if differs
    ]
    unlike = unlike_the_training(trained, image) if unlike is None else unlike
    return _about(intervals, cracks, own, other, bool(unlike), corrections), unlike


def unlike_the_training(trained, image):
    """Say in which way a photograph is unlike those of the training, where what a network finds is less sure.

    It is compared at the smallest scale at which the network sees it.

    Parameters
    ----------
    trained : Predictor
    image : ndarray, float, shape (H, W), in [0, 1]

    Returns
    -------
    list of str
        Such as "darker than …"; empty if it is like them, or if nothing is known of them.
    """
    ranges, scale = trained.calibration.get("ranges"), trained.scales(image.shape)[-1]
    if not ranges:
        return []
    from crack_utils.data.novelty import unlike

    return unlike(resize_image(image, tuple(max(3, round(side * scale)) for side in image.shape)), ranges)


def why_no_bound(intervals):
    """Return why an error has no bound, as half a sentence: too few specimens for the level, or too many misses.

    Parameters
    ----------
    intervals : dict
        `Calibration.intervals`.
    """
    level = intervals["level"]
    needed = math.ceil(level / (1 - level) - 1e-9)  # with n of them, the bound covers n / (n + 1) at most
    specimens = intervals.get("specimens", needed)  # an older calibration does not name their number
    if specimens < needed:
        return f"one for {number(level, '.0%')} of pictures needs at least {needed} test specimens, not {specimens}"
    return "too many cracks were missed in testing"


def _about(intervals, cracks, scale, other, unlike, corrections):
    if not cracks:
        return ["No crack was found, which does not prove that there is none."]
    crack = cracks[0]
    lines = []
    if crack.tip.found:
        distance = _distance(crack.tip.uncertainty, crack.mm_per_px)
        lines.append(f"According to the probability map, the tip lies within {distance} of the found position.")
        if "tip" not in corrections:
            right = number(crack.tip.right_end_probability, ".0%")
            lines.append(f"The probability that this is the primary crack and this end its tip is {right}.")
    if corrections:
        return [
            *lines,
            f"A person has set or corrected the {joined(corrections, 'and the')}: the network's bounds do not hold.",
        ]
    if not intervals:
        return [
            *lines,
            "There are no bounds for this network: its errors were not measured on labelled test photographs.",
        ]
    if other:
        return [*lines, f"The errors of this network were measured at another {joined(other)}: no bound holds here."]
    if unlike:
        return [
            *lines,
            "The photograph is unlike those of the test: the bounds that were measured there do not hold.",
        ]
    for name, what in (("length", "Its length is off by at most"), ("tip", "Its tip is off by at most")):
        found = intervals.get(name, {}).get("bound_px")
        if found is None:
            lines.append(f"There is no bound for the error of its {name}: {why_no_bound(intervals)}.")
        else:
            # The errors were measured in pixels of the network's size.
            distance = _distance(found / scale, crack.mm_per_px)
            lines.append(
                f"{what} {distance} in {number(intervals['level'], '.0%')} of photographs that are like those of the "
                "test and show a crack."
            )
    return lines


def _distance(pixels, mm_per_px):
    return f"{pixels:.1f} px" + (f" ({pixels * mm_per_px:.2g} mm)" if mm_per_px else "")
