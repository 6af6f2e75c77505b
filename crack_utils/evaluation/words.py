"""The result of a training and the names of its measures in words, for a page or a terminal."""

from crack_utils.runtime.typeset import number

FAILED = 0.01  # recall below which a training counts as failed


# What a reader calls the measures of `evaluate`.
MEASURES = {
    "crack_share": "share of crack pixels",
    "mean_iou": "mean IoU at 0.5",
    "unthresholded_mean_iou": "mean IoU, as Keras casts",
    "crack_iou": "crack IoU",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "f1_tolerance_1": "F1 within 1 px",
    "f1_tolerance_2": "F1 within 2 px",
    "cldice": "clDice",
    "accuracy": "pixel accuracy",
    "mean_class_accuracy": "mean accuracy of the classes",
    "expected_calibration_error": "calibration error",
    "crack_at_one": "crack pixels at exactly 1",
    "loss": "loss",
}


def in_words(measured):
    """Return a sentence about the result of a training: recall and precision, or why they are not known.

    After a failed training it also says what may help.

    Parameters
    ----------
    measured : dict
        From `evaluation.evaluate`.

    Returns
    -------
    str
        Markdown.
    """
    claimed = measured[measured["evaluated"]]
    if not has_crack(measured):
        return (
            f"How much of a crack this network finds is **not known**: the {measured['evaluated']} set shows none. "
            f"Of its pixels, {number(1 - claimed['accuracy'], '.1%')} are marked as crack by mistake."
        )
    if claimed["recall"] < FAILED:
        return (
            f"**This training has failed**: it finds {number(claimed['recall'], '.1%')} of the crack pixels of the "
            f"{measured['evaluated']} set. A loss based on overlap can collapse to predicting no crack early and then "
            "stays there. Another seed, a lower learning rate, or a sum with cross-entropy such as `dice+bce` may help."
        )
    return (
        f"At a threshold of 0.5 this network finds {number(claimed['recall'], '.1%')} of the crack pixels of the "
        f"{measured['evaluated']} set, and {number(claimed['precision'], '.1%')} of what it marks is crack."
    )


def has_crack(measured):
    """Return whether the set on which results are reported shows any crack; without one, nothing can be said of recall.

    Parameters
    ----------
    measured : dict
        From `evaluation.evaluate`.
    """
    return measured[measured["evaluated"]]["crack_share"] > 0


def number_type(policy):
    """Return a Keras dtype policy in words.

    >>> number_type("mixed_bfloat16"), number_type("float32")
    ('mixed precision with bfloat16', 'float32')
    """
    return policy.replace("mixed_", "mixed precision with ")
