"""Several GPUs of one machine: each takes its part of every batch, and together they train as one device would.

The global batch stays the experiment's. Keras averages the replicas' losses, which is the whole batch's loss where that
is a mean over pixels. A ratio of sums is not: Dice of a batch is not the mean of the Dice of its parts. Such sums
are therefore taken over all replicas, gradients included.
"""

import keras


def strategy(batch, validation):
    """Return how a training's steps are spread: over as many GPUs as share its batches evenly; one needs no strategy.

    Parameters
    ----------
    batch : int
        Images of a step, all GPUs together.
    validation : int
        Images of the validation set.

    Returns
    -------
    tf.distribute.Strategy
    """
    import tensorflow as tf

    chosen = sharing(gpus(), batch, validation)
    return tf.distribute.MirroredStrategy(chosen) if len(chosen) > 1 else tf.distribute.get_strategy()


def gpus():
    """Return the names of this machine's GPUs, e.g. ``["GPU:0", "GPU:1"]``."""
    import tensorflow as tf

    return [f"GPU:{number}" for number in range(len(tf.config.list_logical_devices("GPU")))]


def sharing(devices, batch, validation):
    """Return the first of `devices`, as many as divide `batch` and `validation`: all get parts of equal size."""
    number = max((n for n in range(1, len(devices) + 1) if batch % n == validation % n == 0), default=0)
    return devices[:number]


def even_batch(batch, images, number):
    """Return the largest batch up to `batch` that leaves none of `number` replicas without images, the last included.

    TensorFlow gives each replica a fixed part of a batch; the last replicas of an incomplete batch would get nothing,
    which oneDNN's convolutions refuse. `number` divides `batch` and `images`, as `sharing` chose it.
    """
    if number == 1:
        return batch
    return max(size for size in range(number, batch + 1, number) if images % size == 0)


def sum_over_replicas(values):
    """Return each of a list of float tensors summed over all replicas; outside of a distributed step, as they are."""
    if keras.backend.backend() != "tensorflow":
        return values
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return values
    return context.all_reduce(tf.distribute.ReduceOp.SUM, values)
