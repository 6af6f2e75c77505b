"""Kinds of arguments of the command line, with errors that say what would be valid."""

import argparse
from pathlib import Path


def decimal(text):
    """Return a number; a decimal comma is told."""
    try:
        return float(text)
    except ValueError:
        point = "; a decimal has a point" if "," in text else ""
        raise argparse.ArgumentTypeError(f"{text!r} is not a number{point}") from None


def folder(text):
    """Return the path of a folder; an empty text, such as of a shell's variable that is not set, is refused."""
    if not text.strip():
        raise argparse.ArgumentTypeError("is empty; name a folder")
    return Path(text)
