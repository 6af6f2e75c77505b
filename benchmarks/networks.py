"""Training and prediction: ours, Keras' defaults, OpenVINO and PyTorch, each in a process of its own."""

import numpy as np

from benchmarks import pytorch_unet
from benchmarks.timing import Apart, rates_apart, ratios, spread
from crack_utils.inference import engine
from crack_utils.inference.tiles import TILE, predict

BATCHES = (1, 4, 8)  # of training, times that of the experiment
AT_ONCE = 16  # pictures in a call of prediction, where it is not one
LEAST_STEPS = 2  # of a turn of training
DEFAULTS = "Keras' defaults (float32, no XLA)"
OURS = "ours"
REPORT = "the report's U-Net"


def rows(experiment, steps, rounds, side, larger):
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
    larger : sequence of (height, width) [px]
        Of the pictures that are predicted too, one a call; the last ones, in fewer rounds, are cut into tiles.

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
    seen = engine.stride_and_reach(network)
    batches = [experiment.replace(batch=times * experiment.batch) for times in BATCHES]
    least = min(rounds, 3)
    found, table = {}, []
    for what, size, contenders, passes, turns in (
        *(  # backward takes twice as long as forward
            (f"training in batches of {each.batch}", each.size, _trainings(each, steps, filters), 3, rounds)
            for each in batches
        ),
        ("prediction", experiment.size, _predictions(experiment.size, 1, steps, filters, seen), 1, rounds),
        (f"prediction of {AT_ONCE} at once", experiment.size,
         _predictions(experiment.size, AT_ONCE, 1, filters, seen), 1, rounds),
        *(
            ("prediction", size, _predictions(size, 1, 1, filters, seen), 1, least if size == larger[-1] else rounds)
            for size in larger
        ),
    ):  # fmt: skip
        # One pass forward, in FLOP: a multiplication and an addition each.
        flop = passes * 2 * int(layer_table(network, size).multiply_adds.sum()) / 1e12
        measured = rates_apart([*contenders, *products], turns)
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
    from crack_utils.training.compiling import compiled_model

    precision, xla = hardware.resolve(experiment.precision) if ours else ("float32", False)
    images = noise(experiment.batch, *experiment.size)
    masks = np.float32(images > 0.97)  # as rare as cracks
    model = compiled_model(experiment, steps, precision, xla)
    batches = tf.data.Dataset.from_tensors((images, masks)).repeat(steps).prefetch(1)
    alone = tf.data.Options()
    alone.autotune.enabled = False  # else a short training may wait at its end for the thread that tunes the input
    batches = batches.with_options(alone)
    callbacks = [StopOnNaN()] if ours else []
    return lambda: model.fit(batches, shuffle=False, verbose=0, callbacks=callbacks), steps * experiment.batch


def prediction(size, at_once, calls, filters, how):
    """Return a turn of prediction and its pictures.

    Parameters
    ----------
    size : (height, width) [px]
        A picture larger than a tile is cut into tiles.
    at_once, calls : int
        Pictures in a call, and calls in a turn.
    filters : int
        Of the report's network.
    how : str
        Names an engine, or Keras' own way.
    """
    from crack_utils import models
    from crack_utils.inference.engine import compiled

    model = models.build("unet", filters=filters, seed=0)
    images = noise(at_once, *size)
    if how == DEFAULTS and max(size) <= TILE:
        return lambda: [model.predict(images, verbose=0) for _ in range(calls)], at_once * calls
    ready = model if how == DEFAULTS else compiled(model, how)
    return calling(ready, images, calls), at_once * calls


def calling(ready, images, calls):
    """Return a turn: so many calls of a network that has `predict_on_batch`; shape of the images (N, H, W, 1)."""
    if len(images) > 1:
        return lambda: [ready.predict_on_batch(images) for _ in range(calls)]
    return lambda: [predict(ready, images[0, ..., 0]) for _ in range(calls)]


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
    best, steps = _best(), max(LEAST_STEPS, steps * 2 // experiment.batch)
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


def _predictions(size, at_once, calls, filters, seen):
    best, work = _best(), (size, at_once, calls, filters)
    engines = [name for name in engine.ENGINES if name == "tensorflow" or engine.is_installed()]
    return [
        *(Apart(f"{OURS} ({name}, {best})", prediction, (*work, name), best) for name in engines),
        Apart(DEFAULTS, prediction, (*work, DEFAULTS)),
        *(
            Apart(name, pytorch_unet.prediction, (*work, half, seen), precision)
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
