"""Write the tables of the studies in `results/`, as a whole, and with their provenance if asked for."""

from pathlib import Path

from crack_utils.runtime import provenance
from crack_utils.runtime.atomic import atomic_write


def write_table(path, table, made_of=None, **options):
    """Write a table of a study as CSV, atomically; with `made_of`, also its provenance as JSON beside it.

    Parameters
    ----------
    path : path-like
    table : DataFrame
    made_of : dict, optional
        Further entries of the JSON file, such as data and seeds; if None, no JSON file is written.
    **options
        Of `DataFrame.to_csv`; by default the index is not written.

    Raises
    ------
    OSError
        If a file cannot be written; an older one is then unchanged.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # A table that has changed already would mark the commit as one with changes.
    described = None if made_of is None else made_of | provenance.describe()
    with atomic_write(path) as draft:
        table.to_csv(draft, **{"index": False, "lineterminator": "\n"} | options)
    if described:
        provenance.write_json(path.with_suffix(".json"), described)
