"""Prepare an experiment for training: find its pairs, its split, its precision and the run's id, each once."""

import functools
from dataclasses import dataclass

from crack_utils.data import sources
from crack_utils.data.digests import sha256
from crack_utils.data.pairs import manifest_hash
from crack_utils.data.split import Split
from crack_utils.losses import registry as loss_registry
from crack_utils.models import registry as model_registry
from crack_utils.runtime import hardware, paths, provenance
from crack_utils.training import start
from crack_utils.training.experiment import Experiment
from crack_utils.training.run import Run


@dataclass(frozen=True)
class Prepared:
    """An experiment with its pairs, and the values that follow from both; each is computed when first used.

    Attributes
    ----------
    experiment : Experiment
        With size and split decided, see `sources.decide`.
    pairs : list of Pair
        All photographs with their masks.
    """

    experiment: Experiment
    pairs: list

    @functools.cached_property
    def split(self) -> Split:
        """Training, validation and test pairs."""
        return sources.split(self.experiment, self.pairs)

    @functools.cached_property
    def manifest(self) -> str:
        """SHA-256 of the files of all pairs, hexadecimal."""
        return manifest_hash(self.pairs)

    @functools.cached_property
    def precision(self) -> str:
        """The Keras dtype policy: that of the experiment, or with "auto" the fastest on this hardware (R29)."""
        return self._precision_and_xla[0]

    @property
    def xla(self) -> bool:
        """Whether training steps are compiled with XLA; not with several devices, nor in a short training."""
        from crack_utils.runtime import devices  # TensorFlow: what can be refused is refused before it is loaded

        return self._precision_and_xla[1] and len(devices.gpus()) < 2

    @functools.cached_property
    def run(self) -> Run:
        """The run, finished or not; its id is a hash of everything that determines the result."""
        used = self.experiment
        with_loss = model_registry.MODELS[used.model].uses_loss
        modules = [*model_registry.files(used.model), *(loss_registry.files(used.loss) if with_loss else ())]
        code = provenance.fingerprint("training/fit.py", *modules)
        started_from = [sha256(start.file(used.start))] if used.start else []
        digest = used.digest(self.manifest, self.precision, str(self.xla), code, *started_from)
        names = [used.model, *([used.loss.replace("*", "x")] if with_loss else []), digest[:10]]
        return Run(paths.runs() / "-".join(names))

    @functools.cached_property
    def _precision_and_xla(self):
        # About: the pairs of validation and test are counted, too.
        return hardware.resolve(self.experiment.precision, self.experiment.pictures(len(self.pairs)))


def prepare(experiment):
    """Find the pairs of an experiment, and decide the settings that depend on them; the folders are listed once.

    Parameters
    ----------
    experiment : Experiment

    Returns
    -------
    Prepared

    Raises
    ------
    DataError, ValueError
        If the data set does not exist, or its files do not fit together.
    """
    pairs = sources.load_and_tell(experiment)
    return Prepared(sources.decide(experiment, pairs), pairs)
