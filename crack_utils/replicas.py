"""Several GPUs of one machine: each takes its part of every batch, and together they train as one device would.

The global batch stays the experiment's. Keras averages the replicas' losses, which is the whole batch's loss where that
is a mean over pixels. A ratio of sums is not: Dice of a batch is not the mean of the Dice of its parts. Such sums
are therefore taken over all replicas, gradients included.
"""

import keras


def strategy(batch):
    """Return how a training's steps are spread: over as many GPUs as share `batch` evenly; one needs no strategy.

    Parameters
    ----------
    batch : int
        Images of a step, all GPUs together.

    Returns
    -------
    tf.distribute.Strategy
    """
    import tensorflow as tf

    chosen = sharing(devices(), batch)
    return tf.distribute.MirroredStrategy(chosen) if len(chosen) > 1 else tf.distribute.get_strategy()


def devices():
    """Return the names of this machine's GPUs, e.g. ``["GPU:0", "GPU:1"]``."""
    import tensorflow as tf

    return [f"GPU:{number}" for number in range(len(tf.config.list_logical_devices("GPU")))]


def sharing(devices, batch):
    """Return the first of `devices`, as many as divide `batch`: parts of unequal size would not count alike."""
    number = max((n for n in range(1, len(devices) + 1) if batch % n == 0), default=0)
    return devices[:number]


def sum_over_replicas(values):
    """Return each of a list of float tensors summed over all replicas; outside of a distributed step, as they are."""
    if keras.backend.backend() != "tensorflow":
        return values
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return values
    return context.all_reduce(tf.distribute.ReduceOp.SUM, values)
