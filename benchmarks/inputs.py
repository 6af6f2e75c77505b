"""What the network is fed by: decoding into the cache, reading the cache, and how long a training waits for it."""

import os
import shutil
import tempfile
import time
from pathlib import Path

import tensorflow as tf

from benchmarks.timing import Contender, rates, ratios, spread
from crack_utils.data import cache, find_pairs, make_dataset, synthetic
from crack_utils.runtime import hardware, paths
from crack_utils.training import compiling

PLAIN = "tf.data, decoding PNG in each epoch"


def rows(experiment, specimens, steps, rounds):
    """Measure input on synthetic specimens of the experiment's size.

    Parameters
    ----------
    experiment : Experiment
    specimens : int
        Each gives four pictures.
    steps : int
        Batches trained on while the waiting is measured.
    rounds : int

    Returns
    -------
    list of list of str
        Name, pairs/s, times plain tf.data, two empty cells; last the share of a training's time that waits for input.
    """
    kept = os.environ.get("CRACK_UTILS_ARTIFACTS")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CRACK_UTILS_ARTIFACTS"] = folder  # a cache of its own, to be emptied
        try:
            return _measure(experiment, Path(folder) / "pictures", specimens, steps, rounds)
        finally:
            os.environ.pop("CRACK_UTILS_ARTIFACTS")
            if kept is not None:
                os.environ["CRACK_UTILS_ARTIFACTS"] = kept


def waiting(experiment, dataset):
    """Return the share of a training's time, in [0, 1], in which it waits for the next batch of a dataset.

    The pipeline works while the network does, as in `fit`; only what `next` still takes is waited for. The first
    batch, for which the pipeline starts and the step is compiled, does not count.
    """
    precision, xla = hardware.resolve(experiment.precision)
    model = compiling.compiled_model(experiment, len(dataset), precision, xla)
    batches = iter(dataset)
    model.train_on_batch(*next(batches))
    began, waited = time.perf_counter(), 0.0
    while True:
        asked = time.perf_counter()
        batch = next(batches, None)
        if batch is None:
            return waited / (asked - began)
        waited += time.perf_counter() - asked
        model.train_on_batch(*batch)


def _measure(experiment, folder, specimens, steps, rounds):
    size, batch = experiment.size, experiment.batch
    synthetic.generate(folder, specimens=specimens, frames=4, size=size, seed=0)
    pairs = find_pairs(folder / "old", folder / "new")
    repeat = -(-(steps + 1) * batch // len(pairs))
    dataset = make_dataset(pairs, size, batch, repeat, training=True)

    def decode():
        shutil.rmtree(paths.cache(), ignore_errors=True)
        cache.load(pairs, size)

    def read(dataset):
        for _ in dataset:
            pass

    seen = len(dataset) * batch
    contenders = [
        Contender("decoding into the cache", decode, len(pairs)),
        Contender("reading the cache: shuffled, flipped, in batches", lambda: read(dataset), seen),
        Contender(PLAIN, lambda: read(_plain(pairs, batch)), len(pairs)),
    ]
    found = rates(contenders, rounds)
    share = [100 * waiting(experiment, dataset) for _ in range(min(rounds, 3))]
    return [
        *(
            [f"input, {name}", spread(rate, "{:.0f}"), spread(ratios(rate, found[PLAIN]), "{:.2f}"), "", ""]
            for name, rate in found.items()
        ),
        [f"share of a training's time in which the network waits for input: {spread(share, '{:.2f}')} %", *[""] * 4],
    ]


def _plain(pairs, batch):
    """Return the pipeline of a tutorial: PNG files decoded anew in each epoch, not shuffled and not flipped."""

    def decode(file):
        return tf.cast(tf.io.decode_png(tf.io.read_file(file), channels=1), tf.float32) / 255

    files = [str(pair.image) for pair in pairs], [str(pair.mask) for pair in pairs]
    dataset = tf.data.Dataset.from_tensor_slices(files)
    dataset = dataset.map(lambda image, mask: (decode(image), decode(mask)), num_parallel_calls=tf.data.AUTOTUNE)
    return dataset.batch(batch, drop_remainder=True).prefetch(tf.data.AUTOTUNE)
