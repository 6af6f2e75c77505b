"""Stand-ins for a trained network, to whom what is dark is crack."""

import numpy as np

from crack_utils.inference.predictor import Predictor


class Darkness:
    """Stands for a network: the darker, the more probable is a crack. It counts its calls."""

    def __init__(self):
        self.calls = 0

    def __call__(self, images, training=False):
        return 1 - images

    def predict_on_batch(self, images):
        self.calls += 1
        return self(images)


class Dark:
    """Stands for a predictor that is never in doubt: what is darker than 0.3 is crack."""

    threshold = 0.5

    def predict(self, image, scale=1.0):
        return np.float32(image < 0.3)


def darkness(**options):
    """Return a predictor with `Darkness` as its network."""
    return Predictor(Darkness(), "dark is crack", **{"digest": "0" * 64, **options})
