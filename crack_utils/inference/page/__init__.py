"""The page that inspectors open: drop a photograph, see its cracks outlined and measured, download the results.

`Inspector` is the page, for JupyterLab; ``crack-utils serve`` opens it in a browser.
"""

__all__ = ["Inspector"]


def __getattr__(name):
    """Load the widgets when they are first asked for: the shell's commands start without them."""
    if name != "Inspector":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from crack_utils.inference.page.inspector import Inspector

    return Inspector
