"""A functional model that accepts images of any height and width (R34)."""

import keras
from keras import ops

from .graph import total_stride


@keras.saving.register_keras_serializable("crack_utils")
class AnySizeModel(keras.Model):
    """Pad the image to a multiple of the model's total stride, run the model, crop the result back.

    It is built as ``AnySizeModel(inputs, outputs)`` and is otherwise a functional Keras model. Padding is not a layer,
    so `layers` and `summary` show the architecture alone. The padding repeats the last row and column, because zeros
    would make an edge that looks like a crack. It is added at the bottom and on the right, so positions do not change.
    Nothing is added if the size already fits when the model is traced.
    """

    def call(self, inputs, training=None, mask=None):
        """Return the graph's output (batch, height, width, channels), of the height and width of `inputs`."""
        height, width = ops.shape(inputs)[1:3]
        padded = pad_to_stride(inputs, total_stride(self))
        outputs = super().call(padded, training=training, mask=mask)
        if padded is inputs:
            return outputs
        return keras.tree.map_structure(lambda output: output[:, :height, :width], outputs)

    def compute_output_spec(self, inputs, training=None, mask=None):
        """Return the symbolic output, of the height and width of `inputs`."""
        output = self.outputs[0]
        return keras.KerasTensor((*inputs.shape[:3], output.shape[-1]), dtype=output.dtype)


def pad_to_stride(images, stride):
    """Repeat the last row and column of images until height and width are multiples of a stride.

    Parameters
    ----------
    images : tensor, shape (batch, height, width, channels)
    stride : int
        [px]

    Returns
    -------
    tensor, shape (batch, padded height, padded width, channels)
    """
    return _pad_axis(_pad_axis(images, 1, stride), 2, stride)


def _pad_axis(images, axis, multiple):
    """Repeat the last row (axis 1) or column (axis 2) until its number is a multiple."""
    length = ops.shape(images)[axis]  # an int if the size is static, else a scalar tensor
    if isinstance(length, int) and length % multiple == 0:
        return images
    padded_length = -(-length // multiple) * multiple
    return ops.take(images, ops.minimum(ops.arange(padded_length), length - 1), axis=axis)
