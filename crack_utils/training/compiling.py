"""A network ready to be trained: with its optimizer, learning rates, loss and metrics (R40–R44)."""

import keras

from crack_utils import losses, models
from crack_utils.training import metrics, start
from crack_utils.training.rules import OPTIMIZERS

WARM_UP = 0.05  # share of the updates of a cosine schedule in which the learning rate rises to its first value


def compiled_model(experiment, steps, precision="float32", xla=False):
    """Build the network of an experiment and compile it with optimizer, schedule, loss and the metrics of R44.

    A network with its own loss (see `models.registry`) is compiled without one.

    Parameters
    ----------
    experiment : Experiment
    steps : int
        Updates of the whole training.
    precision : str
        A Keras dtype policy.
    xla : bool
        Whether to compile the training step with XLA.

    Returns
    -------
    keras.Model
    """
    keras.utils.set_random_seed(experiment.seed)
    model = models.build(experiment.model, dtype=precision, **experiment.model_options)
    if experiment.start:
        model.set_weights(start.weights(experiment.start, model))
    # In a short training, the average must not include the initial weights: it covers at most a tenth of the updates.
    momentum = experiment.ema and max(0.0, min(experiment.ema, 1 - 10 / steps))
    average = {"use_ema": True, "ema_momentum": momentum} if experiment.ema else {}
    decay = {"weight_decay": experiment.weight_decay} if experiment.optimizer == "adamw" else {}
    name, options = OPTIMIZERS[experiment.optimizer]
    optimizer = getattr(keras.optimizers, name)(
        learning_rate_schedule(experiment, steps), clipnorm=experiment.clipnorm, **options, **average, **decay
    )
    if precision == "mixed_float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    model.compile(
        optimizer,
        losses.get(experiment.loss, **experiment.loss_options) if models.MODELS[experiment.model].uses_loss else None,
        metrics=[
            metrics.MeanIoU(name="miou"),
            metrics.UnthresholdedMeanIoU(name="unthresholded_miou"),
            metrics.PixelAccuracy(name="accuracy"),
            metrics.MeanPixelAccuracy(name="pixel_accuracy"),
            *([metrics.Separation(name="separation")] if experiment.restarts else []),
        ],
        jit_compile=xla,
    )
    return model


def learning_rate_schedule(experiment, steps):
    """Return the learning rate schedule of an experiment.

    Parameters
    ----------
    experiment : Experiment
        With `schedule` "steps": three constant rates (R41); with "cosine": a warm-up, then half a cosine from the first
        rate to the last.
    steps : int
        Updates of the whole training.

    Returns
    -------
    keras.optimizers.schedules.LearningRateSchedule
    """
    first, *_, last = experiment.learning_rates
    if experiment.schedule == "cosine":
        rising = max(1, round(WARM_UP * steps))
        return keras.optimizers.schedules.CosineDecay(
            0.0, steps - rising, alpha=last / first, warmup_target=first, warmup_steps=rising
        )
    boundaries = [round(share * steps) for share in experiment.boundaries]
    return keras.optimizers.schedules.PiecewiseConstantDecay(boundaries, list(experiment.learning_rates))
