"""Feature maps of the picture at several strides: a small residual network with a feature pyramid.

He et al. 2016 for the residual blocks, Lin et al. 2017 for the pyramid.
"""

import keras
from keras import layers

WIDTHS = (1, 1, 2, 4, 4)  # filters of the stages, at strides 2 to 32, as multiples of the first stage's
GROUPS = 8  # of the normalisation (Wu & He 2018), which does not depend on the batch, because batches are small


def pyramid(filters, dtype, kernels):
    """Build the backbone.

    Parameters
    ----------
    filters : int
        Filters of the first stage, a multiple of 8. The pyramid's maps have twice as many channels.
    dtype : str
        Keras dtype policy of all layers.
    kernels : callable
        Returns the initializer of the next kernel.

    Returns
    -------
    keras.Model
        Image (batch, height, width, 1), height and width multiples of 32 → six maps, at strides 2, 4, 8, 16, 32 and 64,
        the last rounded up, of (batch, ⌈height / stride⌉, ⌈width / stride⌉, 2 · filters).
    """

    def conv(x, filters, name, size=3, strides=1):
        return layers.Conv2D(
            filters, size, strides, padding="same", dtype=dtype, kernel_initializer=kernels(), name=name
        )(x)

    def normalised(x, name):
        return layers.GroupNormalization(GROUPS, dtype=dtype, name=name)(x)

    def relu(x, name):
        return layers.ReLU(dtype=dtype, name=name)(x)

    def add(name, *parts):
        return layers.Add(dtype=dtype, name=name)(list(parts))

    def stage(x, width, name):
        """Add one residual block that halves height and width."""
        y = relu(normalised(conv(x, width, f"{name}_conv1", strides=2), f"{name}_norm1"), f"{name}_relu1")
        y = normalised(conv(y, width, f"{name}_conv2"), f"{name}_norm2")
        shortcut = conv(x, width, f"{name}_shortcut", 1, 2)
        return relu(add(f"{name}_add", y, shortcut), f"{name}_relu2")

    image = keras.Input((None, None, 1), name="image")  # sizes below are for 512×640 and 32 filters
    x = relu(normalised(conv(image, filters, "stage1_conv", strides=2), "stage1_norm"), "stage1_relu")
    stages = [x]  # (256, 320, 32)
    for number, width in enumerate(WIDTHS[1:], start=2):  # (128, 160, 32) (64, 80, 64) (32, 40, 128) (16, 20, 128)
        x = stage(x, width * filters, f"stage{number}")
        stages.append(x)

    maps, above = [], None
    for number in range(len(stages), 0, -1):  # (16, 20, 64) … (256, 320, 64)
        here = conv(stages[number - 1], 2 * filters, f"lateral{number}", 1)
        if above is not None:
            here = add(f"merge{number}", layers.UpSampling2D(2, dtype=dtype, name=f"up{number}")(above), here)
        maps.insert(0, conv(here, 2 * filters, f"level{number}"))
        above = here
    maps.append(layers.MaxPooling2D(1, 2, padding="same", dtype=dtype, name="level6")(maps[-1]))  # (8, 10, 64)
    return keras.Model(image, maps, name="pyramid")
