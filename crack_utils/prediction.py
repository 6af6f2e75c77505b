"""A picture of any size → its crack probability."""

import numpy as np


def predict(model_or_run, image):
    """Return the crack probability of each pixel.

    Parameters
    ----------
    model_or_run : keras.Model or Run
    image : ndarray, float, shape (H, W), in [0, 1]
        Any size; seen by the network as it is, so its cracks should be about as wide in pixels as those it was
        trained on.

    Returns
    -------
    ndarray, float32, shape (H, W), in [0, 1]

    Raises
    ------
    ValueError
        If the picture is not a gray one in [0, 1].
    """
    image = np.asarray(image)
    if image.ndim != 2 or not np.issubdtype(image.dtype, np.floating):
        raise ValueError(f"image must be floating-point of shape (H, W), got {image.dtype} of shape {image.shape}")
    if not 0 <= image.min() <= image.max() <= 1:
        raise ValueError(f"image must lie in [0, 1], got {image.min()} to {image.max()}; read_image scales any picture")
    model = model_or_run.model() if hasattr(model_or_run, "model") else model_or_run
    return np.asarray(model(np.float32(image)[None, ..., None], training=False))[0, ..., 0]
