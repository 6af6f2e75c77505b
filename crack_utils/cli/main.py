"""The command `crack-utils`. Run `crack-utils --help` for what it can do."""

import argparse
import os
import sys

from crack_utils.cli import assist, audit, data, growth, importing, label, model, predict, serve, train

COMMANDS = (
    data,
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
    """Run the command line; bad input ends with one message on stderr and exit status 1, Ctrl-C with 130.

    A reader who has seen enough, as in ``crack-utils check FOLDER | head -1``, is no error: the command ends with 0.
    """
    options = _parser().parse_args(arguments)
    try:
        status = options.run(options)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # What is left in the buffer goes nowhere: Python would report it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError, FloatingPointError) as error:
        print(f"crack-utils: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("crack-utils: interrupted; the same command goes on where it stopped", file=sys.stderr)
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
