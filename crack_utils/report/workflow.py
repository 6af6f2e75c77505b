"""Run the workflow as `make book` and `make study` do: one at a time, and on again after it was killed.

Snakemake locks its folder while it runs. A killed run leaves that lock behind, and Snakemake then asks for a command
that `make` does not have. This module holds a lock that ends with its process, so it knows when Snakemake's own lock
is left over, and removes it.

Called by the Makefile as `python -m crack_utils.report.workflow TARGET [--config name=value …]`.
"""

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

import filelock

from crack_utils.runtime import paths

INTERRUPTED = 130  # the exit status of a command that Ctrl-C has ended
OPTIONS = ("--cores", "all", "--rerun-incomplete", "--show-failed-logs", "--quiet", "host", "reason", "progress")


def run(target, config, keep_going=False):
    """Run the workflow up to a target.

    Parameters
    ----------
    target : str
        A rule of the Snakefile, such as "book".
    config : list of str
        Settings as ``name=value``, see the head of the Snakefile.
    keep_going : bool
        Whether the other jobs continue if one fails.

    Returns
    -------
    int
        Snakemake's exit status; 130 after Ctrl-C.

    Raises
    ------
    ValueError
        If the workflow already runs here.
    """
    folder = paths.root() / ".snakemake"
    folder.mkdir(exist_ok=True)
    try:
        with filelock.FileLock(folder / "running.lock", timeout=0):
            return _run(folder, target, config, keep_going)
    except filelock.Timeout:
        raise ValueError("the workflow already runs in this folder; wait for it, or stop it with Ctrl-C") from None


def _run(folder, target, config, keep_going):
    command = ["snakemake", target, *OPTIONS, *(["--keep-going"] if keep_going else []), "--config", *config]
    if any((folder / "locks").glob("*")):  # nobody runs, as this process holds the lock: it was killed
        subprocess.run([*command, "--unlock"], cwd=paths.root(), check=True, capture_output=True)
    process = subprocess.Popen(command, cwd=paths.root())
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.wait()  # it was interrupted too, and ends its jobs
        print(f"Interrupted; the same command continues where it stopped: make {shlex.quote(target)}", file=sys.stderr)
        return INTERRUPTED


def main(arguments=None):
    """Read the command line, run, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("target", help="a rule of the Snakefile, such as book or study")
    parser.add_argument("--config", nargs="*", default=[], metavar="NAME=VALUE")
    parser.add_argument("--keep-going", action="store_true", help="continue with the other jobs if one fails")
    options = parser.parse_args(arguments)
    if not Path(paths.root() / "Snakefile").is_file():
        parser.error(f"no Snakefile in {paths.root()}")
    try:
        return run(options.target, options.config, options.keep_going)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
