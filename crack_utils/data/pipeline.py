"""The input pipeline in tf.data (R20–R28): cache, repeat, shuffle, crop, augment, batch, prefetch.

Order, crops and augmentation depend only on (seed, epoch, index), so a training that continues at any epoch gets the
same data as an uninterrupted one.
"""

import numpy as np
import tensorflow as tf

from crack_utils.data import cache, crops, targets
from crack_utils.data.augmentation import AUGMENTATIONS
from crack_utils.data.digests import image_content
from crack_utils.data.options import FITS
from crack_utils.data.pairs import spread
from crack_utils.runtime.workers import cores

AHEAD = 2  # batches that are prepared while the network works on one
TILES = 128  # validation tiles per epoch: enough to follow a training, for pictures of any size


def make_dataset(
    pairs,
    size,
    batch=16,
    repeat=1,
    training=False,
    augment=True,
    augmentation="flips",
    seed=0,
    first_epoch=0,
    epochs=1,
    drawn=None,
    fit="resize",
    reduction=1,
    first=0,
    needs=frozenset(),
):
    """Return batches of pictures and masks.

    Parameters
    ----------
    pairs : list of Pair
    size : (height, width) [px]
    batch : int
    repeat : int
        Number of repetitions of each image per epoch (R26).
    training : bool
        Shuffle within each epoch, augment, and omit an epoch's last incomplete batch (compiled steps need batches of
        one shape). Otherwise every image appears once, in order and unchanged.
    augment : bool
        Change pictures at random in training, see `augmentation`.
    augmentation : {"flips", "light", "rich"}
        The report's flips (R25); these with quarter turns and light (`augmentation.light`); or flips, turns, shifts,
        bends, light, contrast, blur and noise (`augmentation.rich`).
    seed : int
        Determines order and augmentation.
    first_epoch, epochs : int
        First epoch, counted from 0, and number of epochs.
    drawn : int, optional
        Each epoch uses only this number of pairs, drawn again for each epoch (S2); by default all.
    fit : {"resize", "crop"}
        "resize" resizes whole pictures to `size`. "crop" takes parts of this size. In training they are crops, every
        second one around a crack (`crops.place`). Otherwise they are the tiles that cover each picture (`crops.tiles`),
        at most `TILES` of them, spread over the pictures.
    reduction : int
        Number by which the size of the pictures is divided before cropping.
    first : int
        Number of images of the first epoch to skip, for a training that continues within an epoch.
    needs : set of {"tip", "distance"}
        Channels that the loss needs in addition to the mask (`losses.needs`).

    Returns
    -------
    tf.data.Dataset of (image, mask)
        float32, shape (batch, H, W, 1); image in [0, 1], mask 0 or 1. If the loss needs more, the mask has the four
        channels of `targets.stack`.

    Raises
    ------
    ValueError
        If there is no pair, or less than one batch of them, or `fit` or `augmentation` is unknown.
    """
    if fit not in FITS:
        raise ValueError(f"fit must be one of {', '.join(FITS)}, got {fit!r}")
    if augmentation not in AUGMENTATIONS:
        raise ValueError(f"augmentation must be one of {', '.join(AUGMENTATIONS)}, got {augmentation!r}")
    drawn = drawn or len(pairs)
    count = epoch_length(drawn, repeat, batch, training)
    cropped, tiled = fit == "crop" and training, fit == "crop" and not training
    pictures, sightings = cache.load(pairs, reduction if fit == "crop" else size), drawn * repeat
    tips = [_tip(pair, size, fit, reduction) if "tip" in needs else targets.NO_TIP for pair in pairs]
    tiles = _tiles(pairs, size, reduction) if tiled else []
    count = len(tiles) or count
    shape = (*size, 1)

    def draw(position):
        epoch, sighting = position // count, position % count
        if tiled:
            return epoch, sighting, sighting
        if training:
            # A new permutation of all repetitions of all images for each epoch, without state.
            sighting = _shuffle(sighting, sightings, seed, epoch)
        index = sighting % drawn
        return epoch, sighting, index if drawn == len(pairs) else _shuffle(index, len(pairs), ~seed, epoch)

    def look(epoch, sighting, index):
        index, *corner = tiles[index] if tiled else [index]
        image, mask = pictures[index]
        tip = np.array(tips[index], np.float32)
        if cropped:
            # Crops around a crack and random crops alternate, both over the repetitions and epochs of one picture and
            # over the pictures of an epoch.
            turn = sighting // drawn + epoch * repeat + index
            rows, columns = crops.place(mask, size, turn % 2 == 0, (seed, epoch, sighting))
        if tiled:
            rows, columns = (slice(start, start + side) for start, side in zip(corner, size, strict=True))
        if cropped or tiled:
            image, mask, tip = image[rows, columns], mask[rows, columns], tip - np.float32([rows.start, columns.start])
        return image[..., np.newaxis], mask[..., np.newaxis], tip

    def read(epoch, sighting, index):
        kinds = [tf.uint8, tf.uint8, tf.float32]
        image, mask, tip = tf.numpy_function(look, [epoch, sighting, index], kinds, stateful=False)
        image, mask = (tf.ensure_shape(tf.cast(part, tf.float32), shape) for part in (image, mask))
        return epoch, sighting, image / 255, mask, tf.ensure_shape(tip, (2,))

    def finish(epoch, sighting, image, mask, tip):
        if training and augment:
            # The number of the image in the whole training; it does not depend on the batch size.
            number = seed, epoch * sightings + sighting
            image, mask, tip = AUGMENTATIONS[augmentation](image, mask, tip, number)
        return image, with_channels(mask, tip) if needs else mask

    def with_channels(mask, tip):
        stack = tf.numpy_function(
            lambda mask, tip: targets.stack(mask[..., 0], tip, "distance" in needs),
            [mask, tip],
            tf.float32,
            stateful=False,
        )
        return tf.ensure_shape(stack, (*shape[:2], targets.CHANNELS))

    return _without_autotune(
        tf.data.Dataset.range(first_epoch * count + first, (first_epoch + epochs) * count)
        .map(draw)
        .map(read, num_parallel_calls=cores())
        .map(finish, num_parallel_calls=cores())
        .batch(batch, drop_remainder=training)
        .prefetch(AHEAD)
    )


def _without_autotune(dataset):
    """Return a dataset that does not tune itself.

    The thread that would tune it sleeps 10, 20, 40 … ms, and a dataset that ends waits until it wakes: up to two
    minutes after a training of two minutes.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def _tip(pair, size, fit, reduction):
    if fit == "resize":
        return targets.tip_at(pair, size)
    return targets.tip_at(pair, cache.reduced(image_content(pair.image).size, reduction))


def _tiles(pairs, size, reduction):
    """Return (index of the pair, row, column) of the validation tiles."""
    places = [
        (index, *place)
        for index, pair in enumerate(pairs)
        for place in crops.tiles(cache.reduced(image_content(pair.image).size, reduction), size)
    ]
    return spread(places, TILES)


def _shuffle(place, count, seed, epoch):
    """Return the position of `place` in a permutation of `count` places, which differs for each epoch."""
    seeds = tf.stack([tf.constant(seed, tf.int64), epoch])
    return tf.random.experimental.index_shuffle(place, seed=seeds, max_index=count - 1)


def epoch_length(images, repeat, batch, training):
    """Return the number of image steps of an epoch.

    Parameters
    ----------
    images : int
        In the data set.
    repeat : int
        How often each is used in an epoch.
    batch : int
    training : bool
        If True, an incomplete last batch is left out.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If the images do not fill one batch in training, or if there is none.
    """
    if images * repeat < (batch if training else 1):
        raise ValueError(f"{images} image(s), each {repeat} time(s), do not fill one batch of {batch}")
    return images * repeat // batch * batch if training else images * repeat
