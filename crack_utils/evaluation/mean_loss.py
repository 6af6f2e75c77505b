"""The mean loss of predictions, as Keras' `fit` reports it."""

import keras
import numpy as np

from crack_utils import losses
from crack_utils.data import targets


class MeanLoss:
    """The mean loss over batches, as `fit` reports it: batches of the training's size, or single pictures.

    Parameters
    ----------
    experiment : Experiment
    """

    def __init__(self, experiment):
        options = experiment.loss_options
        self._loss, self._needs = losses.get(experiment.loss, **options), losses.needs(experiment.loss, **options)
        self._size = 1 if experiment.fit == "crop" else experiment.batch
        self._batch, self._values, self._weights = [], [], []

    def add(self, pair, true, probability):
        """Add a picture to the mean.

        Parameters
        ----------
        pair : Pair
            For the labelled tip, if the loss needs it.
        true : ndarray of bool, shape (H, W)
        probability : ndarray of float32, shape (H, W), in [0, 1]
        """
        target = true[..., None]
        if self._needs:
            target = targets.stack(true, targets.tip_at(pair, true.shape), "distance" in self._needs)
        self._batch.append((target, probability[..., None]))
        if len(self._batch) == self._size:
            self._close()

    def mean(self):
        """Return the mean over all pictures that were added."""
        if self._batch:
            self._close()
        return float(np.average(self._values, weights=self._weights))

    def _close(self):
        batch = [np.stack(pictures, dtype=np.float32) for pictures in zip(*self._batch, strict=True)]
        self._values.append(float(keras.ops.convert_to_numpy(self._loss(*batch))))
        self._weights.append(len(self._batch))
        self._batch = []
