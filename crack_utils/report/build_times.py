"""Print the path of the book and the time of each step, at the end of `make book`.

Called by the Snakefile as `python -m crack_utils.report.build_times BOOK STARTED NAME … FILE …`.
"""

import csv
import sys
import time
from pathlib import Path


def read_benchmark(file):
    """Read one of Snakemake's benchmark files.

    Parameters
    ----------
    file : pathlib.Path
        Tab-separated, with columns `s` [s] and `max_rss` [MB]; the latter is ``-`` if a step was too short to measure.
        For a folder, all files in it count as one step, such as the jobs of a study: the times are summed, and the
        memory is the largest.

    Returns
    -------
    tuple of (float or None, float or None)
        Duration [s] and peak memory [MB]; None if not measured.
    """
    if file.is_dir():
        parts = [read_benchmark(part) for part in file.glob("*.tsv")]
        seconds, megabytes = zip(*parts, strict=True) if parts else ((), ())
        return sum(filter(None, seconds)) or None, max(filter(None, megabytes), default=None)
    if not file.is_file():  # the notebook was executed by hand
        return None, None
    with file.open(encoding="utf-8") as lines:
        row = next(csv.DictReader(lines, delimiter="\t"))
    return _number(row["s"]), _number(row["max_rss"])


def table(steps, started):
    """Return a text table with the time and memory of each step.

    Parameters
    ----------
    steps : dict of str to pathlib.Path
        A step's name, and its benchmark file.
    started : float
        Seconds since the epoch [s]; steps measured before this time are marked as made earlier.

    Returns
    -------
    str
    """
    lines = [f"{'step':<16}{'took':>10}{'memory':>12}"]
    for name, file in steps.items():
        seconds, megabytes = read_benchmark(file)
        took = "by hand" if seconds is None else f"{seconds:.0f} s"
        memory = "" if megabytes is None else f"{megabytes / 1024:.1f} GiB"
        earlier = "   earlier" if seconds is not None and file.stat().st_mtime < started else ""
        lines.append(f"{name:<16}{took:>10}{memory:>12}{earlier}".rstrip())
    return "\n".join(lines)


def main(arguments):
    """Print the table and the path of the book."""
    book, started, *rest = arguments
    book, started, half = Path(book).resolve(), float(started), len(rest) // 2
    if book.stat().st_mtime < started:
        print("Nothing had to be made: the book is up to date.\n")
    print(table({name: Path(file) for name, file in zip(rest[:half], rest[half:], strict=True)}, started))
    print(f"\nTotal time: {time.time() - started:.0f} s. The book: {book.as_uri()}")


def _number(text):
    """Return a number, or None if Snakemake wrote a placeholder."""
    try:
        return float(text)
    except ValueError:
        return None


if __name__ == "__main__":
    main(sys.argv[1:])
