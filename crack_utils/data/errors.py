"""Errors in words for a person."""

from crack_utils.data.names import printable


def in_words(error):
    """Return what an error says, without the system's number: "found: Permission denied".

    Parameters
    ----------
    error : Exception

    Returns
    -------
    str
        Its type, where it says nothing.
    """
    if isinstance(error, OSError) and error.strerror:
        return f"{printable(error.filename)}: {error.strerror}" if error.filename else error.strerror
    return str(error) or type(error).__name__
