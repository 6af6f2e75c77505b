"""The command `crack-utils`; `crack-utils --help` lists its commands."""

import argparse
import os
import sys

from crack_utils.cli import assist, audit, data, growth, importing, label, model, predict, serve, synth, train
from crack_utils.data.errors import in_words

COMMANDS = (
    data,
    synth,
    importing,
    label,
    assist,
    train,
    predict,
    growth,
    serve,
    model,
    audit,
)  # in the order of `crack-utils --help`


def main(arguments=None):
    """Run the command line and return the exit status.

    Parameters
    ----------
    arguments : list of str, optional
        By default those of the process.

    Returns
    -------
    int
        0 after success, also if the output is cut off by a pipe such as ``crack-utils check FOLDER | head -1``; 1 after
        an error, with one message on stderr; 130 after Ctrl-C.
    """
    options = _parser().parse_args(arguments)
    try:
        status = options.run(options)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # Discard the rest of the output; otherwise Python would print an error when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError, FloatingPointError) as error:
        print(f"crack-utils: {in_words(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("crack-utils: interrupted; to finish, give the same command again", file=sys.stderr)
        return 130


def _parser():
    parser = argparse.ArgumentParser(
        prog="crack-utils",
        description="Find cracks in photographs: check and label data, train, predict, measure.",
        epilog="start with: crack-utils check FOLDER; then train FOLDER; then predict latest FOLDER --out found",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for group in COMMANDS:
        group.add_commands(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
