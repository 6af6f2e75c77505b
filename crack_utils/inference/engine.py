"""A trained network made ready for prediction: one compiled function for pictures of all sizes.

Batch normalisation becomes part of the convolutions before it. Where the processor multiplies in bfloat16 (AMX,
AVX512-BF16), so does the network: a probability then changes by some hundredths at most. Elsewhere it stays in float32.
OpenVINO, where it is installed (``pip install -e '.[openvino]'``), is taken by itself on processors with bfloat16
only: in float32 both take the same time.
"""

import importlib.util
import math
import threading
from functools import cached_property

import numpy as np

from crack_utils.runtime.hardware import cpu_flags

ENGINES = ("tensorflow", "openvino")
HINT = "OpenVINO is not installed; pip install -e '.[openvino]' adds it"
BFLOAT16, FLOAT32 = "mixed_bfloat16", "float32"
# How far a probability may be from Keras' in float32, on the picture that every network is tried on.
BOUNDS = {BFLOAT16: 0.05, FLOAT32: 1e-4}
COARSEST = 32  # [px] total stride that is taken where it cannot be read from a network


class Engine:
    """A network, and the function that runs it.

    Parameters
    ----------
    network : keras.Model
        Whose stride and receptive field are looked up.
    function : callable
        From a batch, float32 of shape (N, H, W, 1), to probabilities of that shape.
    name : str
        Such as "tensorflow, float32": results that differ in it are not the same.
    """

    def __init__(self, network, function, name):
        self.network, self.name = network, name
        self._function, self._turn = function, threading.Lock()

    def predict_on_batch(self, images):
        """Return probabilities, float32, one batch at a time: in two threads it would take twice the memory."""
        with self._turn:
            return np.asarray(self._function(np.float32(images)))

    @cached_property
    def stride_and_reach(self):
        """As the function `stride_and_reach` returns them; reading them from the layers takes a while."""
        return stride_and_reach(self.network)


def precision():
    """Return the Keras dtype policy in which this machine predicts photographs."""
    return BFLOAT16 if cpu_flags() & {"amx_bf16", "avx512_bf16"} else FLOAT32


class EngineError(ValueError):
    """An engine is unknown, not installed, or gives other results."""


def compiled(model, engine=None, policy=None):
    """Make a network ready for prediction; its weights are taken as they are now.

    Parameters
    ----------
    model : keras.Model
        (batch, height, width, 1) in [0, 1] → probability of crack, of the same shape.
    engine : {"tensorflow", "openvino"}, optional
        By default OpenVINO where it is installed, the processor has bfloat16, and the network keeps its probabilities
        within the bound; else TensorFlow.
    policy : {"float32", "mixed_bfloat16"}, optional
        By default that of `precision`; bfloat16 is given up for float32 where probabilities leave the bound.

    Returns
    -------
    Engine

    Raises
    ------
    EngineError
        If the engine is unknown, is not installed, or gives other probabilities.
    """
    check_engine(engine)
    policy = precision() if policy is None else policy
    plain = _function(folded(model, FLOAT32))
    if engine == "openvino" or (engine is None and policy == BFLOAT16 and is_installed()):
        network = Engine(model, _openvino(plain), f"openvino, {policy.removeprefix('mixed_')}")
        difference = _difference(plain, network)
        if difference <= BOUNDS[policy]:
            return network
        if engine:
            raise EngineError(f"engine=openvino: probabilities differ from Keras' by {difference:.2g}; use tensorflow")
    if policy != FLOAT32:
        network = Engine(model, _function(folded(model, policy)), f"tensorflow, {policy.removeprefix('mixed_')}")
        if _difference(plain, network) <= BOUNDS[policy]:
            return network
    return Engine(model, plain, "tensorflow, float32")


def check_engine(engine):
    """Refuse an engine that is unknown or not installed."""
    if engine not in (None, *ENGINES):
        raise EngineError(f"engine={engine}: valid are {', '.join(ENGINES)}")
    if engine == "openvino" and not is_installed():
        raise EngineError(f"engine=openvino: {HINT}")


def is_installed():
    """Return whether OpenVINO can be imported (True or False); it is not loaded."""
    return importlib.util.find_spec("openvino") is not None


def folded(model, policy=None):
    """Return a copy of a network whose batch normalisation is part of the convolutions before it.

    Running mean and variance are constants once a network is trained, so a normalised convolution is one with another
    kernel and bias; probabilities agree to rounding (1e-5 is tested). Normalisation that follows something else, or
    whose convolution has an activation or feeds other layers too, stays.

    Parameters
    ----------
    model : keras.Model
    policy : str, optional
        Keras dtype policy of all layers of the copy but the outputs.

    Returns
    -------
    keras.Model
        The same network where nothing is to be changed, or where it is not a plain graph of layers.
    """
    import keras

    try:
        normalised = _normalised(model)
    except (AttributeError, KeyError, ValueError):  # not a plain graph of layers
        return model
    outputs = {tensor._keras_history.operation.name for tensor in model.outputs}
    pairs = {conv.name: norm for conv, norm in normalised}
    gone = {norm.name for _, norm in normalised}

    def copy(layer):
        if layer.name in gone:
            return keras.layers.Identity(name=layer.name)
        config = layer.get_config()
        if policy is not None and layer.name not in outputs:
            config["dtype"] = policy
        if layer.name in pairs:
            config["use_bias"] = True
        return type(layer).from_config(config)

    def call(layer, *inputs, **options):
        return layer(*inputs, **({} if layer.name in gone else options))  # Identity takes no options

    if not gone and policy in (None, FLOAT32):
        return model
    twin = keras.models.clone_model(model, clone_function=copy, call_function=call)
    if type(twin) is not type(model):  # a network that does more than its layers
        return model
    for layer in model.layers:
        if layer.name in pairs:
            twin.get_layer(layer.name).set_weights(_folded_weights(layer, pairs[layer.name]))
        elif layer.weights and layer.name not in gone:
            twin.get_layer(layer.name).set_weights(layer.get_weights())
    return twin


def stride_and_reach(model):
    """Return a network's total stride and receptive field [px]; infinite where nothing is known of it.

    Parameters
    ----------
    model : keras.Model or Engine
    """
    if isinstance(model, Engine):
        return model.stride_and_reach
    from crack_utils.models.graph import total_stride
    from crack_utils.models.table import layer_table

    try:
        stride = total_stride(model)
        return stride, layer_table(model, (stride, stride)).receptive_field.max()
    except (AttributeError, KeyError, ValueError):  # not a plain graph of layers whose reach is known
        return COARSEST, math.inf


def trial_picture():
    """Return the picture that networks are tried on: float32, shape (1, 48, 64, 1), with dark lines of three widths."""
    picture = np.linspace(0, 1, 48 * 64, dtype=np.float32).reshape(1, 48, 64, 1)
    for column, width in ((10, 1), (30, 3), (48, 6)):
        picture[:, 8:40, column : column + width] *= 0.2
    return picture


def _normalised(model):
    """Return the pairs of a convolution and the batch normalisation that alone follows it."""
    from keras import layers

    from crack_utils.models.graph import sources_of

    sources = sources_of(model)
    followers = {}
    for name, before in sources.items():
        for layer in before:
            followers.setdefault(layer.name, []).append(name)
    found = []
    for layer in model.layers:
        if not isinstance(layer, layers.BatchNormalization) or layer.axis not in (-1, 3):
            continue
        (before,) = sources[layer.name]
        if (
            type(before) in (layers.Conv2D, layers.Conv2DTranspose)
            and before.activation.__name__ == "linear"
            and followers[before.name] == [layer.name]
        ):
            found.append((before, layer))
    return found


def _folded_weights(conv, norm):
    """Return kernel and bias of a convolution that does what it and its normalisation did; in float64 until the end."""
    from keras import layers

    mean, variance = (np.asarray(value, np.float64) for value in (norm.moving_mean, norm.moving_variance))
    scale = 1 / np.sqrt(variance + norm.epsilon)
    scale = scale * np.asarray(norm.gamma, np.float64) if norm.scale else scale
    shift = np.asarray(norm.beta, np.float64) if norm.center else 0.0
    bias = np.asarray(conv.bias, np.float64) if conv.use_bias else 0.0
    # The kernel's channels that come out stand last; those of a transposed convolution last but one.
    along = scale[:, None] if isinstance(conv, layers.Conv2DTranspose) else scale
    return [np.float32(np.asarray(conv.kernel, np.float64) * along), np.float32(shift + (bias - mean) * scale)]


def _function(model):
    """Return a network as one function for all sizes; for one a size where a layer has to know the size."""
    import tensorflow as tf

    def run(images):
        return model(images, training=False)

    model.jit_compile = False  # one pass is shorter than compiling for it
    # Layers of Keras need no rewriting of their Python code, which would leave files among the temporary ones.
    function = tf.function(run, input_signature=[tf.TensorSpec((None, None, None, 1), tf.float32)], autograph=False)
    try:
        function.get_concrete_function()
    except Exception:  # each layer fails in its own way; a network of another kind fails again when it is tried
        return tf.function(run, autograph=False)
    return function


def _openvino(function):
    import openvino
    import tensorflow as tf

    sizes = tf.TensorSpec((None, None, None, 1), tf.float32)
    converted = openvino.convert_model(function.get_concrete_function(*([] if function.input_signature else [sizes])))
    run = openvino.Core().compile_model(converted, "CPU")
    return lambda images: run(images)[0]


def _difference(plain, network):
    """Return how far an engine's probabilities are from those of Keras; infinite if they have another shape."""
    picture = trial_picture()
    expected, found = np.asarray(plain(picture)), network.predict_on_batch(picture)
    return float(np.abs(expected - found).max()) if expected.shape == found.shape else math.inf
