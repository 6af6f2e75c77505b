"""The result of a training in words, for a page or a terminal."""

FAILED = 0.01  # recall below which a training counts as failed


def in_words(measured):
    """Return a sentence about the result of a training: its recall and precision, or that it failed and what may help.

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
    if claimed["recall"] < FAILED:
        return (
            f"**This training has failed**: it finds {claimed['recall']:.1%} of the crack pixels of the "
            f"{measured['evaluated']} set. A loss based on overlap can collapse to predicting no crack early and then "
            "stays there. Another seed, a lower learning rate, or a sum with cross-entropy such as `dice+bce` may help."
        )
    return (
        f"At a threshold of 0.5 this network finds {claimed['recall']:.1%} of the crack pixels of the "
        f"{measured['evaluated']} set, and {claimed['precision']:.1%} of what it marks is crack."
    )
