"""Record values in a notebook for the book's prose, so that no number on a page is typed by hand."""

import json

MIME = "application/papermill.record/text/plain"


def record(**values):
    """Record values in the executed notebook; pages show them with the role ``{val}``.

    Parameters
    ----------
    **values
        Numbers, texts, lists and dicts of them; NumPy scalars and arrays are allowed. The values of
        several calls are merged.

    Notes
    -----
    The MIME type is that of papermill's records, which MyST-NB does not show on the page.
    """
    from IPython.display import display

    text = json.dumps(values, default=lambda value: value.tolist())
    display(
        {MIME: text},
        raw=True,
        metadata={"scrapbook": {"name": "values", "mime_prefix": MIME.removesuffix("text/plain")}},
    )
