"""The stored values of a picture, with the properties that are needed to interpret them."""

from dataclasses import dataclass

import numpy as np

LIMIT = 1.5e9  # [bytes] of a picture, decoded, with its gray values in 32 bits: 200 megapixels in colour need 1.4
BANDS = 1 << 22  # pixels that are converted to gray values, or copied, at once


class DataError(ValueError):
    """A data set that cannot be used as it is; the message names every file at fault and why."""


class Refused(ValueError):
    """Why a file is refused; the caller, which knows its name, turns it into a `DataError`."""


class TooLarge(Refused):
    """A picture that needs more memory than its reader allows."""


@dataclass(frozen=True, eq=False)
class Stored:
    """The stored values of a picture.

    Attributes
    ----------
    values : ndarray, shape (H, W), or (H, W, 3) in colour
        Of bool, whole numbers, or floating-point numbers; with a palette the indices.
    palette : ndarray, uint8, shape (N, 3), optional
        The colours of the indices.
    alpha : ndarray, shape (H, W), optional
        Opacity, in the full scale of its type.
    orientation : int
        By which EXIF orientation the picture was turned; 1 for none.
    lossy : bool
        Whether it is from a JPEG, whose values are only approximate.
    """

    values: np.ndarray
    palette: np.ndarray | None = None
    alpha: np.ndarray | None = None
    orientation: int = 1
    lossy: bool = False

    @property
    def depth(self):
        """Return in words how a pixel is stored, such as "8 bit gray"."""
        kind = self.values.dtype.kind
        colour = "RGB" if self.values.ndim == 3 else "gray"
        if self.palette is not None:
            return "8 bit palette"
        if kind == "b":
            return "1 bit"
        if kind == "f":
            return f"floating-point {colour}"
        if self.alpha is not None:
            colour = {"RGB": "RGBA", "gray": "gray with alpha"}[colour]
        return f"{8 * self.values.dtype.itemsize} bit {colour}"

    def shown(self):
        """Return the visible values: the colours of a palette, otherwise the stored values."""
        return self.values if self.palette is None else self.palette[self.values]


def bands(values):
    """Return a picture in bands of rows, so that work on it needs less memory."""
    rows = max(1, BANDS * len(values) // max(1, values.size))
    return [values[start : start + rows] for start in range(0, len(values), rows)]


def refuse_large(height, width, sample_bytes, limit):
    """Refuse a picture that would need too much memory, before it is decoded.

    Parameters
    ----------
    height, width : int [px]
    sample_bytes : int
        Of one pixel, decoded.
    limit : float [bytes]
    """
    if height < 1 or width < 1:
        raise Refused("damaged: it has no pixels")
    if (need := height * width * (sample_bytes + 4)) > limit:
        raise TooLarge(
            f"{height}×{width} pixels need {need / 1e9:.1f} GB of memory, and up to {limit / 1e9:g} are used "
            "for one picture; reduce it, or cut it into parts"
        )


def from_pillow(picture):
    """Return the stored values of a picture that Pillow has opened, without turning it.

    Parameters
    ----------
    picture : PIL.Image.Image

    Returns
    -------
    Stored

    Raises
    ------
    Refused
        If a pixel has a colour that the palette does not contain.
    """
    picture.load()
    alpha = palette = None
    if picture.mode == "P":
        palette = np.array(picture.getpalette("RGB"), np.uint8).reshape(-1, 3)
        values = np.asarray(picture)
        if (transparency := picture.info.get("transparency")) is not None:
            opacity = np.full(256, 255, np.uint8)
            if isinstance(transparency, bytes):
                opacity[: len(transparency)] = np.frombuffer(transparency[:256], np.uint8)
            else:
                opacity[transparency] = 0
            alpha = opacity[values]
        if len(palette) <= values.max():
            raise Refused("damaged: a colour that its palette does not have")
        return Stored(values, palette=palette, alpha=alpha)
    if picture.mode in ("LA", "RGBA", "PA", "La", "RGBa"):
        picture = picture.convert({"PA": "RGBA", "La": "LA", "RGBa": "RGBA"}.get(picture.mode, picture.mode))
        values = np.asarray(picture)
        values, alpha = values[..., :-1], values[..., -1]
        return Stored(values[..., 0] if values.shape[2] == 1 else values, alpha=alpha)
    if picture.mode in ("CMYK", "YCbCr", "LAB", "HSV", "RGBX"):
        picture = picture.convert("RGB")
    values = np.asarray(picture)
    return Stored(values.astype(values.dtype.newbyteorder("=")))
