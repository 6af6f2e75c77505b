"""Random changes of a training picture, its mask and its tip: the report's flips (R25), and more.

All random numbers are functions of a seed, so the same seed gives the same picture. Masks stay 0 or 1. A tip is
(row, column) [px], or NaN if there is none; it moves with the picture.
"""

from dataclasses import dataclass, fields

import numpy as np
import tensorflow as tf

# A pixel of a moved mask is crack from this share of crack. A diagonal line one pixel wide has shares of 3/8 along its
# middle where it lies between pixels. With a larger threshold, or nearest-neighbour interpolation, it would be broken.
# The area of cracks in synthetic pictures increases by 5 to 8 % (median).
MASK_SHARE = 0.37

_NODES = 3  # of the elastic displacement, in each direction
_STEPS = 8  # iterations for a tip's position; each reduces the error to at most 0.3, the largest slope of the bend


# For `light`: limits of the logarithms of gamma and contrast, and of the value added to all gray values in [0, 1].
GAMMA, LESS_CONTRAST, MORE_CONTRAST, BRIGHTNESS = 0.4, 0.4, 0.3, 0.15


@dataclass(frozen=True)
class Strengths:
    """Limits of the changes other than flips. A value of 0 switches a change off; for contrast it is 1."""

    rotation: float = 10.0  # [°] in both directions: cameras are mounted by hand, and specimens are not exactly aligned
    shift: float = 0.05  # share of height and width: with more, mouth or tip of the crack would often leave the picture
    # Share of the height: standard deviation of the displacements at 3×3 nodes, with bicubic interpolation. This is the
    # deformation of the U-Net paper (Ronneberger et al. 2015, doi:10.1007/978-3-319-24574-4_28), which uses 10 px of
    # 512, twice as much. It bends a crack but hardly changes its width.
    elastic: float = 0.01
    light: float = 0.1  # added to all gray values in [0, 1]: a closer lamp, or a longer exposure
    contrast: float = 1.3  # factor or divisor of the difference from the picture's mean gray value
    blur: float = 1.0  # [px] standard deviation: defocus; a crack two pixels wide remains visible
    noise: float = 0.03  # standard deviation of each gray value: slightly more than our noisiest camera

    @classmethod
    def only(cls, name):
        """Return the default strength of one change, with all others switched off.

        Raises
        ------
        ValueError
            If there is no such change.
        """
        names = [field.name for field in fields(cls)]
        if name not in names:
            raise ValueError(f"unknown change {name!r}; valid are {', '.join(names)}")
        none = dict.fromkeys(names, 0.0) | {"contrast": 1.0}
        return cls(**none | {name: getattr(cls(), name)})


def flips(image, mask, tip, seed):
    """Flip horizontally with p = 0.5 and vertically with p = 0.5 (R25).

    Parameters
    ----------
    image, mask : tensors of float32, shape (H, W, 1)
    tip : tensor of float32, shape (2,)
        (row, column) [px], or NaN.
    seed : pair of int
        The same pair gives the same flips.

    Returns
    -------
    image, mask, tip : tensors of the same shapes
    """
    horizontally, vertically = tf.unstack(tf.random.stateless_uniform((2,), _pair(seed)) < 0.5)
    both = tf.concat([image, mask], axis=-1)  # one array, so that image and mask get the same flips
    both = tf.where(horizontally, tf.reverse(both, [1]), both)
    both = tf.where(vertically, tf.reverse(both, [0]), both)
    last = tf.cast(tf.shape(image)[:2] - 1, tf.float32)
    tip = tf.where(tf.stack([vertically, horizontally]), last - tip, tip)
    return both[..., : image.shape[-1]], both[..., image.shape[-1] :], tip


def rich(image, mask, tip, seed, strengths=Strengths()):
    """Flip, rotate, shift, bend, change light and contrast, blur and add noise, all at random.

    Parameters
    ----------
    image, mask : tensors of float32, shape (H, W, 1)
        The image in [0, 1], the mask 0 or 1.
    tip : tensor of float32, shape (2,)
        (row, column) [px], or NaN.
    seed : pair of int
        The same pair gives the same changes, and the same flips as `flips` alone.
    strengths : Strengths
        Angle, shift, light and the logarithm of the contrast's factor are uniform between minus and plus their
        strength; the noise is uniform between 0 and its strength. Half of the pictures are blurred, up to the strength.

    Returns
    -------
    image, mask, tip : tensors of the same shapes and ranges
        The tip is NaN if it has left the picture.
    """
    image, mask, tip = flips(image, mask, tip, seed)
    return shake(image, mask, tip, seed, strengths)


def shake(image, mask, tip, seed, strengths=Strengths()):
    """Change a picture, its mask and its tip as `rich` does, but without flips.

    Parameters
    ----------
    image, mask, tip, seed, strengths
        As for `rich`.

    Returns
    -------
    image, mask, tip : tensors of the same shapes and ranges
        The tip is NaN if it has left the picture.
    """
    seed = _pair(seed)
    turn, down, right, light, contrast, blur, noise = tf.unstack(
        tf.random.stateless_uniform((7,), _another(seed, 1), minval=-1)
    )
    size = tf.cast(tf.shape(image)[:2], tf.float32)
    if strengths.rotation or strengths.shift or strengths.elastic:
        bend = _bend(seed, strengths.elastic * size[0]) if strengths.elastic else None
        shift = strengths.shift * size * tf.stack([down, right])
        image, mask, tip = move(image, mask, tip, strengths.rotation * turn, shift, bend)
    if strengths.light or strengths.contrast != 1:
        image = expose(image, strengths.light * light, strengths.contrast**contrast)
    if strengths.blur:
        image = soften(image, strengths.blur * tf.maximum(blur, 0), strengths.blur)
    if strengths.noise:
        grain = tf.random.stateless_normal(tf.shape(image), _another(seed, 3))
        image = tf.clip_by_value(image + strengths.noise * tf.abs(noise) * grain, 0, 1)
    return image, mask, tip


def extremes(image, mask, tip, seed=(0, 0)):
    """Return pictures with one change of `rich` each, at full strength and without flips, to show them.

    Parameters
    ----------
    image, mask, tip
        As for `rich`.
    seed : pair of int
        Seed of the bend and the noise; the other changes are not random.

    Returns
    -------
    dict of (image, mask, tip)
        By the names of `Strengths`.
    """
    strengths, size, seed = Strengths(), tf.cast(tf.shape(image)[:2], tf.float32), _pair(seed)
    grain = tf.random.stateless_normal(tf.shape(image), _another(seed, 3))
    looks = {
        "light": expose(image, strengths.light, 1.0),
        "contrast": expose(image, 0.0, strengths.contrast),
        "blur": soften(image, strengths.blur, strengths.blur),
        "noise": tf.clip_by_value(image + strengths.noise * grain, 0, 1),
    }
    return {
        "rotation": move(image, mask, tip, strengths.rotation),
        "shift": move(image, mask, tip, shift=strengths.shift * size),
        "elastic": move(image, mask, tip, bend=_bend(seed, strengths.elastic * size[0])),
    } | {name: (look, mask, tip) for name, look in looks.items()}


def move(image, mask, tip, degrees=0.0, shift=(0.0, 0.0), bend=None):
    """Rotate a picture about its centre, shift it, and bend it, in one interpolation.

    Beyond its border, a picture and its mask continue as their mirror image, because a black corner could look like a
    crack.

    Parameters
    ----------
    image, mask : tensors of float32, shape (H, W, 1)
    tip : tensor of float32, shape (2,)
    degrees : float [°]
        Anticlockwise.
    shift : pair of float [px]
        Down and to the right, after the rotation.
    bend : tensor of float32, shape (n, n, 2), optional
        Displacements (down, right) [px] at equally spaced nodes, with bicubic interpolation. Neighbours must differ by
        less than half their distance, otherwise the picture could fold.

    Returns
    -------
    image, mask : tensors of the same shapes
        Image values are interpolated linearly; a mask pixel is crack from a share of `MASK_SHARE`.
    tip : tensor of float32, shape (2,)
        Exact to 0.001 px; NaN if it has left the picture.
    """
    height, width = tf.unstack(tf.shape(image)[:2])
    size = tf.cast(tf.stack([height, width]), tf.float32)
    middle, angle = (size - 1) / 2, tf.cast(degrees, tf.float32) * (np.pi / 180)
    cosine, sine = tf.cos(angle), tf.sin(angle)
    back = tf.stack([tf.stack([cosine, sine]), tf.stack([-sine, cosine])])  # from the new picture to the old one
    field = None
    if bend is not None:
        field = tf.image.resize(bend, tf.stack([height, width]), method="bicubic")  # (H, W, 2)
    rows, columns = tf.range(size[0]), tf.range(size[1])
    down, right = rows[:, None] - middle[0] - shift[0], columns[None, :] - middle[1] - shift[1]
    places = tf.stack(
        [
            back[0, 0] * down + back[0, 1] * right + middle[0],
            back[1, 0] * down + back[1, 1] * right + middle[1],
        ],
        axis=-1,
    )
    if field is not None:
        places += field
    both = _sample(tf.concat([image, mask], axis=-1), _mirrored(places, size))
    both = tf.ensure_shape(both, (*image.shape[:2], 2))
    tip = _moved(tip, middle, middle + tf.cast(tf.stack(shift), tf.float32), back, field, size)
    return both[..., :1], tf.cast(both[..., 1:] >= MASK_SHARE, tf.float32), tip


def expose(image, light, contrast):
    """Change light and contrast: `mean + light + contrast · (image − mean)`, clipped to [0, 1].

    Parameters
    ----------
    image : tensor of float32, in [0, 1]
    light : float
        Added to each gray value.
    contrast : float
        Factor of the difference between a gray value and the picture's mean.

    Returns
    -------
    tensor of float32, of the same shape
    """
    mean = tf.reduce_mean(image)
    return tf.clip_by_value(mean + light + contrast * (image - mean), 0, 1)


def soften(image, sigma, largest):
    """Blur with a Gaussian; the border is mirrored.

    Parameters
    ----------
    image : tensor of float32, shape (H, W, 1)
    sigma : float [px]
        Standard deviation; 0 changes nothing.
    largest : float [px]
        Largest possible sigma; the filter reaches three times as far.

    Returns
    -------
    tensor of float32, shape (H, W, 1)
    """
    reach = int(np.ceil(3 * largest))
    distance = tf.range(-reach, reach + 1, dtype=tf.float32)
    weights = tf.exp(-0.5 * tf.square(distance / tf.maximum(sigma, 1e-3)))
    weights /= tf.reduce_sum(weights)
    padded = tf.pad(image, [[reach, reach], [reach, reach], [0, 0]], mode="REFLECT")[None]
    blurred = tf.nn.conv2d(padded, tf.reshape(weights, (-1, 1, 1, 1)), 1, "VALID")
    return tf.nn.conv2d(blurred, tf.reshape(weights, (1, -1, 1, 1)), 1, "VALID")[0]


def light(image, mask, tip, seed):
    """Flip, rotate by 90°, and change contrast, brightness and gamma, as another camera or lamp would.

    Unlike `rich` it does not interpolate, so masks keep their edges, and it takes a tenth of the time.

    Parameters
    ----------
    image, mask : tensors of float32, shape (H, W, 1)
        The image in [0, 1], the mask 0 or 1. Only square pictures are rotated.
    tip : tensor of float32, shape (2,)
        (row, column) [px], or NaN.
    seed : pair of int
        The same pair gives the same changes, and the same flips as `flips` alone.

    Returns
    -------
    image, mask, tip : tensors of the same shapes and ranges
    """
    image, mask, tip = flips(image, mask, tip, seed)
    draws = tf.random.stateless_uniform((4,), _another(_pair(seed), 3))
    if image.shape[0] == image.shape[1]:
        transposed = draws[0] < 0.5  # with the two flips, all eight positions of a square
        image, mask = (tf.where(transposed, tf.transpose(part, (1, 0, 2)), part) for part in (image, mask))
        tip = tf.where(transposed, tip[::-1], tip)
    gamma = tf.exp(_between(draws[1], -GAMMA, GAMMA))
    contrast = tf.exp(_between(draws[2], -LESS_CONTRAST, MORE_CONTRAST))
    image = tf.pow(tf.clip_by_value(image, 0, 1), gamma)
    mean = tf.reduce_mean(image)
    image = (image - mean) * contrast + mean + _between(draws[3], -BRIGHTNESS, BRIGHTNESS)
    return tf.clip_by_value(image, 0, 1), mask, tip


def _between(draw, low, high):
    return low + (high - low) * draw


AUGMENTATIONS = {"flips": flips, "rich": rich, "light": light}


def _pair(seed):
    return tf.stack([tf.cast(part, tf.int64) for part in seed]) if isinstance(seed, tuple) else tf.cast(seed, tf.int64)


def _another(seed, number):
    """Return another pair of seeds, so that random numbers for different purposes are independent."""
    return tf.random.experimental.stateless_fold_in(seed, number)


def _bend(seed, deviation):
    """Return displacements [px] with a standard deviation of `deviation`, at most twice that, shape (3, 3, 2)."""
    return deviation * tf.random.stateless_truncated_normal((_NODES, _NODES, 2), _another(seed, 2))


def _mirrored(places, size):
    """Replace places outside the picture by the positions of their mirror images."""
    last = size - 1
    return last - tf.abs(last - tf.math.floormod(places, 2 * last))


def _sample(picture, places):
    """Interpolate a picture, shape (H, W, channels), linearly at places within it, shape (…, 2)."""
    last = tf.shape(picture)[:2] - 1
    low = tf.minimum(tf.cast(places, tf.int32), last)  # places are not negative
    share = places - tf.cast(low, tf.float32)
    width, flat = last[1] + 1, tf.reshape(picture, (-1, picture.shape[-1]))
    start = low[..., 0] * width + low[..., 1]
    below = tf.where(low[..., 0] < last[0], width, 0)
    beside = tf.where(low[..., 1] < last[1], 1, 0)
    down, right = share[..., :1], share[..., 1:]
    above = tf.gather(flat, start) * (1 - right) + tf.gather(flat, start + beside) * right
    under = tf.gather(flat, start + below) * (1 - right) + tf.gather(flat, start + below + beside) * right
    return above * (1 - down) + under * down


def _moved(tip, middle, new_middle, back, field, size):
    """Return the new position of a point: old = back · (new − new middle) + middle + bend(new), solved for new."""
    exists = tf.reduce_all(tf.math.is_finite(tip))
    old = tf.where(exists, tip, tf.zeros_like(tip))

    def turned(place):
        return new_middle + tf.linalg.matvec(back, place - middle, transpose_a=True)

    new = turned(old)
    for _ in range(_STEPS if field is not None else 0):
        # The bend at the last estimate is close to the bend at the exact position.
        new = turned(old - _sample(field, tf.clip_by_value(new, 0.0, size - 1)))
    inside = tf.reduce_all((new >= -0.5) & (new <= size - 0.5))
    return tf.where(exists & inside, new, tf.fill([2], np.float32(np.nan)))
