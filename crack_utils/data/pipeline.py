"""The input pipeline in tf.data (R20–R28): cache, repeat, shuffle, crop, augment, batch, prefetch.

Order, crops and augmentation are functions of (seed, epoch, index) alone, so a training that starts at any epoch sees
what an uninterrupted one would.
"""

import numpy as np
import tensorflow as tf

from crack_utils.data import cache, crops, targets
from crack_utils.data.augmentation import AUGMENTATIONS
from crack_utils.data.digests import image_content
from crack_utils.data.options import FITS
from crack_utils.data.pairs import spread

TILES = 128  # of validation, after each epoch: enough to see how a training goes, whatever the pictures' size


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
        Times an epoch sees each image (R26).
    training : bool
        Shuffle within each epoch, augment, and leave out an epoch's last incomplete batch (all batches then have one
        shape, which compiled steps need). Otherwise every image once, in order, as it is.
    augment : bool
        Change pictures by chance while training, as `augmentation` says.
    augmentation : {"flips", "rich"}
        The report's flips (R25), or flips, turns, shifts, bends, light, contrast, blur and noise (`augmentation.rich`).
    seed : int
        Decides order and augmentation.
    first_epoch, epochs : int
        Which epochs are delivered, one after another; counted from 0.
    drawn : int, optional
        Each epoch draws that many of the pairs anew and sees these alone (S2); by default it sees all.
    fit : {"resize", "crop"}
        "resize" brings whole pictures to `size`. "crop" sees parts of `size`: crops while training, every other one
        around a crack (`crops.draw`), and else the tiles that cover each picture (`crops.tiles`), or `TILES` of them
        that are spread over the pictures if there are more.
    reduction : int
        Of the pictures, before crops are taken.
    first : int
        How many images of the first epoch were delivered before: a training that continues within it.
    needs : set of {"tip", "distance"}
        What the loss asks of the truth beside the mask (`losses.needs`).

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
            # All repeats of all images are permuted anew each epoch, statelessly.
            sighting = _shuffle(sighting, sightings, seed, epoch)
        index = sighting % drawn
        return epoch, sighting, index if drawn == len(pairs) else _shuffle(index, len(pairs), ~seed, epoch)

    def look(epoch, sighting, index):
        index, *corner = tiles[index] if tiled else [index]
        image, mask = pictures[index]
        tip = np.array(tips[index], np.float32)
        if cropped:
            # The crops of one picture are by turns around its crack and from anywhere, over repeats and epochs; and
            # so are those of an epoch, over the pictures.
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
            # The sighting's number in the whole training: the batch, which cuts an epoch's end off, has no say in it.
            number = seed, epoch * sightings + sighting
            image, mask, tip = AUGMENTATIONS[augmentation](image, mask, tip, number)
        return image, known(mask, tip) if needs else mask

    def known(mask, tip):
        stack = tf.numpy_function(
            lambda mask, tip: targets.stack(mask[..., 0], tip, "distance" in needs),
            [mask, tip],
            tf.float32,
            stateful=False,
        )
        return tf.ensure_shape(stack, (*shape[:2], targets.CHANNELS))

    return (
        tf.data.Dataset.range(first_epoch * count + first, (first_epoch + epochs) * count)
        .map(draw)
        .map(read, num_parallel_calls=tf.data.AUTOTUNE)
        .map(finish, num_parallel_calls=tf.data.AUTOTUNE)
        .batch(batch, drop_remainder=training)
        .prefetch(tf.data.AUTOTUNE)
    )


def _tip(pair, size, fit, reduction):
    if fit == "resize":
        return targets.tip_at(pair, size)
    return targets.tip_at(pair, cache.reduced(image_content(pair.image).size, reduction))


def _tiles(pairs, size, reduction):
    """Return (index of the pair, row, column) of the tiles that validation sees."""
    places = [
        (index, *place)
        for index, pair in enumerate(pairs)
        for place in crops.tiles(cache.reduced(image_content(pair.image).size, reduction), size)
    ]
    return spread(places, TILES)


def _shuffle(place, count, seed, epoch):
    """Return where a permutation of `count` places, another for each epoch, puts one of them."""
    seeds = tf.stack([tf.constant(seed, tf.int64), epoch])
    return tf.random.experimental.index_shuffle(place, seed=seeds, max_index=count - 1)


def epoch_length(images, repeat, batch, training):
    """Return the number of image steps of an epoch."""
    if images * repeat < (batch if training else 1):
        raise ValueError(f"{images} image(s), each {repeat} time(s), do not fill one batch of {batch}")
    return images * repeat // batch * batch if training else images * repeat
