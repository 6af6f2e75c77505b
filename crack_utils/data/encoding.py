"""A picture as the bytes of a file."""

import io


def as_file(picture, kind="PNG", **options):
    """Return a picture as the bytes of a file, to be sent to a browser, or written within another file.

    Parameters
    ----------
    picture : PIL.Image.Image
    kind : str
        Format of the file, as Pillow names it.
    **options
        As for `PIL.Image.Image.save`.

    Returns
    -------
    bytes
    """
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()
