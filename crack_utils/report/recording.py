"""What a notebook keeps for the book's prose: numbers that a page shows are read from here, never typed."""

import json

MIME = "application/papermill.record/text/plain"


def record(**values):
    """Keep values in the executed notebook, where the book's prose finds them.

    Parameters
    ----------
    **values
        Numbers, texts, lists and dicts of them; NumPy scalars and arrays are fine. Several calls in a notebook add up.

    Notes
    -----
    The MIME type is the one of papermill's records, which MyST-NB leaves out of the page.
    """
    from IPython.display import display

    text = json.dumps(values, default=lambda value: value.tolist())
    display(
        {MIME: text},
        raw=True,
        metadata={"scrapbook": {"name": "values", "mime_prefix": MIME.removesuffix("text/plain")}},
    )
