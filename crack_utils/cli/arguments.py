"""Kinds of arguments of the command line, with errors that say what would be valid."""

import argparse
from pathlib import Path


def decimal(text):
    """Return a number; the error for a decimal comma says that a decimal point is needed."""
    try:
        return float(text)
    except ValueError:
        point = "; a decimal has a point" if "," in text else ""
        raise argparse.ArgumentTypeError(f"{text!r} is not a number{point}") from None


def folder(text):
    """Return the path of a folder; refuse an empty text, which an unset variable of the shell gives."""
    if not text.strip():
        raise argparse.ArgumentTypeError("is empty; name a folder")
    return Path(text)
