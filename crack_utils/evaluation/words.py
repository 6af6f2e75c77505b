"""What a training came to, and what its measures are called, in words for a page or a terminal."""

FAILED = 0.01  # of the crack pixels: a network that finds fewer has not learnt to find cracks


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
    """Return in Markdown what a training came to: what it finds, or that it failed and what may help.

    Parameters
    ----------
    measured : dict
        What `evaluation.evaluate` returns.
    """
    claimed = measured[measured["evaluated"]]
    if claimed["recall"] < FAILED:
        return (
            f"**This training has failed**: it finds {claimed['recall']:.1%} of the crack pixels of the "
            f'{measured["evaluated"]} set. A loss made of overlaps can jump to "no crack" early and cannot leave it '
            "again. Another seed, a lower learning rate, or a sum with cross-entropy such as `dice+bce` may help."
        )
    return (
        f"At a threshold of 0.5 this network finds {claimed['recall']:.1%} of the crack pixels of the "
        f"{measured['evaluated']} set, and {claimed['precision']:.1%} of what it marks is crack."
    )
