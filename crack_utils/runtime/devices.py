"""Several GPUs of one machine: each processes a part of every batch, with the same result as one device.

The global batch size is that of the experiment. Keras averages the losses of the replicas. For a mean over pixels this
equals the loss of the whole batch. For a ratio of sums it does not: the Dice loss of a batch is not the mean of the
Dice losses of its parts. Such sums are therefore taken over all replicas, including their gradients.
"""

import keras


def strategy(batch, validation):
    """Return the distribution strategy of a training: as many GPUs as can share its batches evenly.

    Parameters
    ----------
    batch : int
        Images per step, on all GPUs together.
    validation : int
        Images in the validation set.

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
    """Return the largest number of devices that divides both batch sizes evenly, as a list of the first ones.

    Parameters
    ----------
    devices : list of str
    batch, validation : int
        Images in a batch of training and of validation.

    Returns
    -------
    list of str
        Empty only if `devices` is.
    """
    number = max((n for n in range(1, len(devices) + 1) if batch % n == validation % n == 0), default=0)
    return devices[:number]


def even_batch(batch, images, number):
    """Return the largest batch size that gives each replica images in every batch.

    TensorFlow gives each replica a fixed part of a batch. In an incomplete last batch some replicas would get no image,
    which makes oneDNN's convolutions fail.

    Parameters
    ----------
    batch : int
        Largest batch size.
    images : int
        Number of images.
    number : int
        Number of replicas; it must divide `batch` and `images`, see `sharing`.

    Returns
    -------
    int
    """
    if number == 1:
        return batch
    return max(size for size in range(number, batch + 1, number) if images % size == 0)


def sum_over_replicas(values):
    """Return a list of float tensors, each summed over all replicas; unchanged outside a distributed step."""
    if keras.backend.backend() != "tensorflow":
        return values
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return values
    return context.all_reduce(tf.distribute.ReduceOp.SUM, values)
