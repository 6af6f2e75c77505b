"""Training and prediction of the report's U-Net: ours, Keras' defaults and PyTorch, each against the matrix product."""

import keras
import numpy as np
import tensorflow as tf

from benchmarks import pytorch_unet
from benchmarks.timing import Contender, rates, ratios, spread
from crack_utils import predict
from crack_utils.models.table import layer_table
from crack_utils.runtime import hardware
from crack_utils.training.callbacks import StopOnNaN
from crack_utils.training.fit import compiled_model

DEFAULTS = "Keras' defaults (float32, no XLA)"


def rows(experiment, steps, rounds, side):
    """Measure training and prediction.

    Parameters
    ----------
    experiment : Experiment
        Its size, batch, loss and network are measured.
    steps : int
        Batches in each of a contender's turns.
    rounds : int
    side : int
        Of the square matrices whose product tells what the machine can do.

    Returns
    -------
    list of list of str
        Name, images/s, times Keras' defaults, TFLOP/s, share of the matrix product.
    """
    generator = np.random.default_rng(0)
    images = generator.random((experiment.batch, *experiment.size, 1), np.float32)
    masks = np.float32(images > 0.97)  # as rare as cracks
    precision, xla = hardware.resolve(experiment.precision)
    default = compiled_model(experiment, steps, "float32", xla=False)
    ours = compiled_model(experiment, steps, precision, xla)
    number = steps * experiment.batch
    batches = tf.data.Dataset.from_tensors((images, masks)).repeat(steps).prefetch(tf.data.AUTOTUNE)

    def fit(model, *callbacks):
        return lambda: model.fit(batches, shuffle=False, verbose=0, callbacks=list(callbacks))

    def predict_each():
        for image in images[..., 0]:
            predict(default, image)

    trainings = [
        Contender(
            f"ours ({precision}{', XLA' if xla else ''})", fit(ours, StopOnNaN()), number, _arithmetic(precision)
        ),
        Contender(DEFAULTS, fit(default), number),
        *pytorch_unet.trainings(default, images, masks, steps),
    ]
    many = np.repeat(images, steps, axis=0)
    predictions = [
        Contender("ours (`predict`, one image a call)", predict_each, experiment.batch),
        Contender(DEFAULTS, lambda: default.predict(many, batch_size=experiment.batch, verbose=0), number),
        *pytorch_unet.predictions(default, images, steps),
    ]
    products = [_product(side, "float32"), _product(side, "bfloat16")]
    # One pass forward, in FLOP: a multiplication and an addition each. Backward takes twice that.
    forward = 2 * int(layer_table(default, experiment.size).multiply_adds.sum()) / 1e12
    trained = rates([*trainings, *products], rounds)
    predicted = rates([*predictions, *products], rounds)
    return [
        *_rows("training", trainings, trained, 3 * forward),
        *_rows("prediction", predictions, predicted, forward),
        *(
            [f"matrix product, {name}", "", "", spread(trained[name] + predicted[name], "{:.2f}"), "100 %"]
            for name in ("float32", "bfloat16")
        ),
    ]


def _rows(what, contenders, found, flop):
    """Return the table's rows; `flop` is the work of an image [TFLOP]."""
    rows = []
    for contender in contenders:
        rate = found[contender.name]
        reached = [value * flop for value in rate]
        share = [100 * value for value in ratios(reached, found[contender.precision])]
        rows.append(
            [
                f"{what}, {contender.name}",
                spread(rate),
                spread(ratios(rate, found[DEFAULTS]), "{:.2f}"),
                spread(reached, "{:.2f}"),
                f"{spread(share, '{:.0f}')} %",
            ]
        )
    return rows


def _product(side, dtype):
    """Return the contender that multiplies two square matrices; it is named by its precision."""
    matrix = tf.random.stateless_normal((side, side), (0, 0))
    matrix = tf.cast(matrix, dtype)
    repeat = 4  # long enough to be timed

    def run():
        for _ in range(repeat):
            product = tf.matmul(matrix, matrix)
        return float(product[0, 0])  # waits for the result

    return Contender(dtype, run, repeat * 2 * side**3 / 1e12, dtype)


def _arithmetic(policy):
    """Return the matrix product that a dtype policy is held against; no CPU multiplies in float16."""
    return "bfloat16" if "16" in keras.DTypePolicy(policy).compute_dtype else "float32"
