"""What a training came to, in words for a page or a terminal."""

FAILED = 0.01  # of the crack pixels: a network that finds fewer has not learnt to find cracks


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
