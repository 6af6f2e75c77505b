"""A functional model that takes images of any height and width (R34)."""

import keras
from keras import ops

from .table import total_stride


@keras.saving.register_keras_serializable("crack_utils")
class AnySizeModel(keras.Model):
    """Pad the image to a multiple of the model's total stride, run the model, crop the result back.

    Built as ``AnySizeModel(inputs, outputs)`` and otherwise a functional Keras model: padding is no layer, so `layers`
    and `summary` show the architecture alone. The padding repeats the last row and column (zeros would draw
    an edge, which looks like a crack) and lies at the bottom and on the right, so that positions stay what they are.
    Sizes known to fit when the model is traced cost nothing.
    """

    def call(self, inputs, training=None, mask=None):
        """Return the graph's output (batch, height, width, channels), of the height and width of `inputs`."""
        height, width = ops.shape(inputs)[1:3]
        padded = pad_axis(pad_axis(inputs, 1, self._stride()), 2, self._stride())
        outputs = super().call(padded, training=training, mask=mask)
        return outputs if padded is inputs else outputs[:, :height, :width]

    def compute_output_spec(self, inputs, training=None, mask=None):
        """Return the symbolic output, of the height and width of `inputs`."""
        output = self.outputs[0]
        return keras.KerasTensor((*inputs.shape[:3], output.shape[-1]), dtype=output.dtype)

    def _stride(self):
        return total_stride(self)


def pad_axis(images, axis, multiple):
    """Repeat the last row (axis 1) or column (axis 2) until its number is a multiple."""
    length = ops.shape(images)[axis]  # an int where it is known, else a scalar tensor
    if isinstance(length, int) and length % multiple == 0:
        return images
    padded_length = -(-length // multiple) * multiple
    return ops.take(images, ops.minimum(ops.arange(padded_length), length - 1), axis=axis)
