"""Compile a trained network for prediction: one function for pictures of all sizes.

Batch normalisation becomes part of the convolutions before it. If the processor can multiply in bfloat16 (AMX,
AVX512-BF16), the network does so: a probability then changes by a few hundredths at most. Otherwise it uses float32. If
OpenVINO is installed (``pip install -e '.[openvino]'``), it is used by default on processors with bfloat16 only: in
float32 it takes the same time as TensorFlow.
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
# Largest difference from a probability of Keras in float32, on the picture with which engines are tested.
BOUNDS = {BFLOAT16: 0.05, FLOAT32: 1e-4}
COARSEST = 32  # [px] assumed total stride if it cannot be read from the network


class Engine:
    """A network, and the function that runs it.

    Parameters
    ----------
    network : keras.Model
        Used to look up the stride and the receptive field.
    function : callable
        From a batch, float32 of shape (N, H, W, 1), to probabilities of that shape.
    name : str
        Such as "tensorflow, float32". Results of engines with different names can differ.
    """

    def __init__(self, network, function, name):
        self.network, self.name = network, name
        self._function, self._turn = function, threading.Lock()

    def predict_on_batch(self, images):
        """Return the probabilities of a batch, float32. One thread at a time: two batches need twice the memory."""
        with self._turn:
            return np.asarray(self._function(np.float32(images)))

    @cached_property
    def stride_and_reach(self):
        """Return what the function `stride_and_reach` does; cached, because reading it from the layers takes time."""
        return stride_and_reach(self.network)


def precision():
    """Return the Keras dtype policy in which this machine predicts photographs."""
    return BFLOAT16 if cpu_flags() & {"amx_bf16", "avx512_bf16"} else FLOAT32


class EngineError(ValueError):
    """An engine is unknown, not installed, or gives other results."""


def compiled(model, engine=None, policy=None):
    """Return an engine that predicts with a network; later changes of the weights have no effect on it.

    Parameters
    ----------
    model : keras.Model
        (batch, height, width, 1) in [0, 1] → probability of crack, of the same shape.
    engine : {"tensorflow", "openvino"}, optional
        By default OpenVINO if it is installed, the processor has bfloat16, and the probabilities stay within the bound;
        otherwise TensorFlow.
    policy : {"float32", "mixed_bfloat16"}, optional
        By default that of `precision`. If probabilities in bfloat16 differ from those in float32 by more than the
        bound, float32 is used instead.

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
    kernel and bias; probabilities agree to rounding (1e-5 is tested). Normalisation is left
    as it is if it follows another kind of layer, or if its convolution has an activation or feeds other layers too.

    Parameters
    ----------
    model : keras.Model
    policy : str, optional
        Keras dtype policy of all layers of the copy except the outputs.

    Returns
    -------
    keras.Model
        The same network if nothing has to be changed, or if it is not a plain graph of layers.
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
    """Return a network's total stride and receptive field [px]; the receptive field is infinite if it is unknown.

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
    except (AttributeError, KeyError, ValueError):  # not a plain graph of layers whose receptive field is known
        return COARSEST, math.inf


def trial_picture():
    """Return the test picture for engines: float32, shape (1, 48, 64, 1), with dark lines of three widths."""
    picture = np.linspace(0, 1, 48 * 64, dtype=np.float32).reshape(1, 48, 64, 1)
    for column, width in ((10, 1), (30, 3), (48, 6)):
        picture[:, 8:40, column : column + width] *= 0.2
    return picture


def _normalised(model):
    """Return pairs of a convolution and the batch normalisation that is the only layer after it."""
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
    """Return kernel and bias of the convolution that replaces a convolution and its normalisation."""
    from keras import layers

    mean, variance = (np.asarray(value, np.float64) for value in (norm.moving_mean, norm.moving_variance))
    scale = 1 / np.sqrt(variance + norm.epsilon)
    scale = scale * np.asarray(norm.gamma, np.float64) if norm.scale else scale
    shift = np.asarray(norm.beta, np.float64) if norm.center else 0.0
    bias = np.asarray(conv.bias, np.float64) if conv.use_bias else 0.0
    # The output channels are the last axis of a kernel; in a transposed convolution the last but one.
    along = scale[:, None] if isinstance(conv, layers.Conv2DTranspose) else scale
    return [np.float32(np.asarray(conv.kernel, np.float64) * along), np.float32(shift + (bias - mean) * scale)]


def _function(model):
    """Return a network as one function for all sizes; if a layer must know the size, it is traced for each size."""
    import tensorflow as tf

    def run(images):
        return model(images, training=False)

    model.jit_compile = False  # compiling with XLA would take longer than one pass
    # Layers of Keras do not need AutoGraph, which would leave temporary files.
    function = tf.function(run, input_signature=[tf.TensorSpec((None, None, None, 1), tf.float32)], autograph=False)
    try:
        function.get_concrete_function()
    except Exception:  # layers raise different exceptions; an unsuitable network fails again in the test
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
