"""A stand-in for a trained network: what is dark is crack, and gray is doubtful."""

import numpy as np

DIGEST = "ab" * 32


class Blackish:
    """Takes for crack what is darker than half; the probability falls evenly with the gray value."""

    threshold, digest, source, calibration = 0.5, DIGEST, "what is dark", {}

    def predict(self, image, scale=None, tile=None, flips=False):
        return np.clip(1 - np.asarray(image, np.float32), 0, 1)
