"""The animation of a growing crack."""

from PIL import Image

from crack_utils.data.encoding import as_file
from crack_utils.inference.overlay import overlay

MILLISECONDS = 400  # duration of each frame of the animation
LARGEST, SMALLEST = 400, 320  # [px] limits for the longer side of the animation, which is resized by a whole factor


def animation(images, masks, cracks):
    """Return the overlays of all frames as an animated GIF, the same bytes for the same frames.

    Parameters
    ----------
    images : sequence of ndarray, float, shape (H, W), in [0, 1]
        At least one; all of one size.
    masks : sequence of ndarray, bool, shape (H, W)
    cracks : sequence of list of geometry.Crack
        The cracks of these masks, the primary one first.

    Returns
    -------
    bytes
    """
    pictures = []
    for image, mask, of_image in zip(images, masks, cracks, strict=True):
        height, width = mask.shape
        drawn = overlay(image, mask, of_image, "").crop((0, 0, width, height))
        # Few pixels are coloured: the usual choice of 64 colours would keep grays alone.
        palette = {"method": Image.Quantize.MAXCOVERAGE, "dither": Image.Dither.NONE}
        pictures.append(_resized(drawn).quantize(64, **palette))
    options = {"save_all": True, "append_images": pictures[1:], "duration": MILLISECONDS, "loop": 0}
    return as_file(pictures[0], "GIF", **options)


def _resized(picture):
    """Resize a picture by a whole factor, to a suitable size for a page."""
    longest = max(picture.size)
    if longest > LARGEST:
        return picture.reduce(-(-longest // LARGEST))
    factor = max(1, SMALLEST // longest)
    return picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)
