"""Deep supervision: the coarser decoder levels get a loss too (Lee et al. 2015, arXiv:1409.5185)."""

import keras

from .any_size import AnySizeModel


@keras.saving.register_keras_serializable("crack_utils")
class DeeplySupervised(AnySizeModel):
    """A model with side outputs: the first output is the prediction, and the others are used in training only.

    It is built as ``DeeplySupervised(inputs, [probability, side output of level 2, side output of level 3, …])``; all
    outputs have the image's size. In training it returns all of them, otherwise the first alone. The training loss is
    the weighted mean of the compiled loss over the outputs; every weight is half of the previous one, as in nnU-Net
    (Isensee et al. 2021, doi:10.1038/s41592-020-01008-z). nnU-Net reduces the mask; here the side output is
    interpolated instead. The validation loss and all metrics use the first output alone.
    """

    def call(self, inputs, training=None, mask=None):
        """Return the probability of the size of `inputs`; while training, a list of it and the side outputs."""
        outputs = super().call(inputs, training=training, mask=mask)
        return outputs if training else outputs[0]

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Return the loss of one prediction, or the weighted mean of the losses of a list of predictions."""
        outputs = y_pred if isinstance(y_pred, list) else [y_pred]
        weights = [0.5**place for place in range(len(outputs))]
        loss_of = super().compute_loss
        losses = [loss_of(x, y, output, sample_weight, training) for output in outputs]
        return sum(weight * loss for weight, loss in zip(weights, losses, strict=True)) / sum(weights)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """Return the metrics of the first output."""
        first = y_pred[0] if isinstance(y_pred, list) else y_pred
        return super().compute_metrics(x, y, first, sample_weight)
