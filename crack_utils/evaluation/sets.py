"""The pairs of a run's three sets, found again as they were."""

import json

from crack_utils.data import sources
from crack_utils.data.split import Split
from crack_utils.data.split_file import refuse_changed
from crack_utils.runtime import provenance


def split_of(run):
    """Return the split that was saved with a run, with its pairs.

    The folders of the data are saved when this is first called, right after the training. Later the data set is found
    from any working directory.

    Parameters
    ----------
    run : Run

    Returns
    -------
    Split

    Raises
    ------
    DataError
        If a photograph or a mask is missing or has changed since the split; the message names each.
    """
    saved_folders = run.folder / "data_folders.json"
    earlier = json.loads(saved_folders.read_text(encoding="utf-8")) if saved_folders.is_file() else []
    pairs = sources.load(run.experiment, earlier)
    refuse_changed(run.folder / "split.csv", pairs)
    if not saved_folders.is_file():
        provenance.write_json(saved_folders, sources.found_in(run.experiment))
    by_name = {(pair.source, pair.name): pair for pair in pairs}
    return Split(**{key: [by_name[name] for name in chosen] for key, chosen in run.names().items()})
