"""Training and prediction: ours, Keras' defaults, OpenVINO and PyTorch, each in a process of its own."""

import numpy as np

from benchmarks import pytorch_unet
from benchmarks.timing import Apart, rates_apart, ratios, spread
from crack_utils.inference import engine

DEFAULTS = "Keras' defaults (float32, no XLA)"
OURS = "ours"
REPORT = "the report's U-Net"


def rows(experiment, steps, rounds, side, large):
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
    large : (height, width) [px]
        Of the pictures of the second table of predictions.

    Returns
    -------
    list of list of str
        Name, images/s, times the usual way, TFLOP/s, share of the matrix product.
    """
    from crack_utils.models import build
    from crack_utils.models.table import layer_table

    products = [Apart(dtype, product, (side, dtype), dtype) for dtype in ("float32", "bfloat16")]
    filters = experiment.model_options.get("filters", 64)
    network = build("unet", filters=filters)
    found, table = {}, []
    for what, size, contenders, passes in (
        ("training", experiment.size, _trainings(experiment, steps, filters), 3),  # backward takes twice as long
        ("prediction", experiment.size, _predictions(experiment.size, steps, filters), 1),
        ("prediction", large, _predictions(large, 1, filters), 1),
    ):
        # One pass forward, in FLOP: a multiplication and an addition each.
        flop = passes * 2 * int(layer_table(network, size).multiply_adds.sum()) / 1e12
        measured = rates_apart([*contenders, *products], rounds)
        table += _rows(f"{what}, {size[0]}×{size[1]}", contenders, measured, flop)
        for dtype in ("float32", "bfloat16"):
            found.setdefault(dtype, []).extend(measured[dtype] if isinstance(measured[dtype], list) else [])
    return [
        *table,
        *([f"matrix product, {dtype}", "", "", spread(rates, "{:.2f}"), "100 %"] for dtype, rates in found.items()),
        *_crops(experiment, steps, rounds),
    ]


def training(experiment, steps, ours):
    """Return a turn of training, with our settings or with Keras' defaults, and its pictures."""
    import tensorflow as tf

    from crack_utils.runtime import hardware
    from crack_utils.training.callbacks import StopOnNaN
    from crack_utils.training.fit import compiled_model

    precision, xla = hardware.resolve(experiment.precision) if ours else ("float32", False)
    images = noise(experiment.batch, *experiment.size)
    masks = np.float32(images > 0.97)  # as rare as cracks
    model = compiled_model(experiment, steps, precision, xla)
    batches = tf.data.Dataset.from_tensors((images, masks)).repeat(steps).prefetch(tf.data.AUTOTUNE)
    callbacks = [StopOnNaN()] if ours else []
    return lambda: model.fit(batches, shuffle=False, verbose=0, callbacks=callbacks), steps * experiment.batch


def prediction(size, pictures, filters, how):
    """Return a turn of prediction, one picture a call, and its pictures; `how` names an engine, or Keras' own way."""
    from crack_utils import models, predict
    from crack_utils.inference.engine import compiled

    model = models.build("unet", filters=filters, seed=0)
    images = noise(pictures, *size)
    if how == DEFAULTS:
        return lambda: [model.predict(image[None], verbose=0) for image in images], pictures
    ready = compiled(model, how)
    return lambda: [predict(ready, image[..., 0]) for image in images], pictures


def product(side, dtype):
    """Return a turn of multiplying square matrices, and its work [TFLOP]."""
    import tensorflow as tf

    matrix = tf.cast(tf.random.stateless_normal((side, side), (0, 0)), dtype)
    repeat = 4  # long enough to be timed

    def run():
        for _ in range(repeat):
            result = tf.matmul(matrix, matrix)
        return float(result[0, 0])  # waits for the result

    return run, repeat * 2 * side**3 / 1e12


def noise(count, height, width):
    """Return random pictures, float32, shape (count, height, width, 1)."""
    return np.random.default_rng(0).random((count, height, width, 1), np.float32)


def _trainings(experiment, steps, filters):
    best = _best()
    others = [
        Apart(name, pytorch_unet.training, (experiment.size, experiment.batch, steps, filters, half), precision)
        for name, half, precision in pytorch_unet.CONTENDERS
        if pytorch_unet.is_installed()
    ]
    return [
        Apart(f"{OURS} ({best})", training, (experiment, steps, True), best),
        Apart(DEFAULTS, training, (experiment, steps, False)),
        *others,
    ]


def _predictions(size, pictures, filters):
    best = _best()
    engines = [name for name in engine.ENGINES if name == "tensorflow" or engine.is_installed()]
    return [
        *(Apart(f"{OURS} ({name}, {best})", prediction, (size, pictures, filters, name), best) for name in engines),
        Apart(DEFAULTS, prediction, (size, pictures, filters, DEFAULTS)),
        *(
            Apart(name, pytorch_unet.prediction, (size, pictures, filters, half), precision)
            for name, half, precision in pytorch_unet.CONTENDERS
            if pytorch_unet.is_installed()
        ),
    ]


def _best():
    return engine.precision().removeprefix("mixed_")


def _crops(experiment, steps, rounds):
    """Rows of training on crops: the compact network of the preset `photo` against the report's."""
    report = experiment.replace(loss="dice+edge")
    compact = experiment.replace(model="compact", loss="dice+edge", model_options={})
    names = {REPORT: report, "the compact network": compact}
    measured = rates_apart([Apart(name, training, (each, steps, True)) for name, each in names.items()], rounds)
    rows = []
    for name, rate in measured.items():
        if isinstance(rate, str) or isinstance(measured[REPORT], str):
            rows.append([f"crops, {name}", rate if isinstance(rate, str) else spread(rate), "", "", ""])
        else:
            rows.append([f"crops, {name}", spread(rate), spread(ratios(rate, measured[REPORT]), "{:.2f}"), "", ""])
    return rows


def _rows(what, contenders, found, flop):
    """Return the table's rows; `flop` is the work of an image [TFLOP]."""
    rows = []
    for contender in contenders:
        rate = found[contender.name]
        cells = [rate, "", "", ""]
        if not isinstance(rate, str):
            reached = [value * flop for value in rate]
            cells = [spread(rate), "", spread(reached, "{:.2f}"), ""]
            if not isinstance(found[DEFAULTS], str):
                cells[1] = spread(ratios(rate, found[DEFAULTS]), "{:.2f}")
            if not isinstance(found[contender.precision], str):
                share = [100 * value for value in ratios(reached, found[contender.precision])]
                cells[3] = f"{spread(share, '{:.0f}')} %"
        rows.append([f"{what}, {contender.name}", *cells])
    return rows
