"""Deep supervision: coarser levels are told too how far they are from the mask (Lee et al. 2015, arXiv:1409.5185)."""

import keras

from .any_size import AnySizeModel


@keras.saving.register_keras_serializable("crack_utils")
class DeeplySupervised(AnySizeModel):
    """A model whose first output is the prediction; the others, the side outputs, only take part in training.

    Built as ``DeeplySupervised(inputs, [probability, side of level 2, side of level 3, …])``, all of the image's size.
    Called for training it returns all of them, else the first alone. While training, the loss is the weighted mean
    of the compiled loss over the outputs, each weighing half of the one before it, as in nnU-Net (Isensee et al.
    2021, doi:10.1038/s41592-020-01008-z; which reduces the mask, where here the side output is interpolated).
    Validation's loss, and every metric, is the first output's alone.
    """

    def call(self, inputs, training=None, mask=None):
        """Return the probability of the size of `inputs`; while training, a list of it and the side outputs."""
        outputs = super().call(inputs, training=training, mask=mask)
        return outputs if training else outputs[0]

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Return the loss of one prediction, or the weighted mean of those of a list."""
        outputs = y_pred if isinstance(y_pred, list) else [y_pred]
        weights = [0.5**place for place in range(len(outputs))]
        losses = [super(DeeplySupervised, self).compute_loss(x, y, each, sample_weight, training) for each in outputs]
        return sum(weight * loss for weight, loss in zip(weights, losses, strict=True)) / sum(weights)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """Return the metrics of the first output."""
        first = y_pred[0] if isinstance(y_pred, list) else y_pred
        return super().compute_metrics(x, y, first, sample_weight)
