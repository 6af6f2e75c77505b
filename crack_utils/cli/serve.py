"""Open the page in a browser, on the command line: ``crack-utils serve``."""

import contextlib

from crack_utils.cli.arguments import decimal
from crack_utils.inference.page import MEGABYTES, PORT


def add_commands(subparsers):
    """Add the command ``serve`` to a command line.

    Parameters
    ----------
    subparsers : argparse._SubParsersAction
        What ``add_subparsers`` returned. The options carry ``run``, a function of the options that returns the exit
        status.
    """
    serve = subparsers.add_parser(
        "serve",
        help="open a page for this machine's browser: drop photographs, see, correct and download what is found",
        description="Open a page in the browser of this machine that outlines and measures the cracks of photographs. "
        "No other machine can open it, and it needs no internet connection.",
        epilog="example: crack-utils serve latest --megabytes 200",
    )
    serve.add_argument(
        "model", nargs="?", default="default", metavar="MODEL", help="as for predict (default: 'default')"
    )
    serve.add_argument("--port", type=int, default=PORT, metavar="N", help=f"port of the address (default: {PORT})")
    serve.add_argument(
        "--megabytes",
        type=decimal,
        default=MEGABYTES,
        metavar="N",
        help=f"largest photograph in MB (default: {MEGABYTES})",
    )
    serve.add_argument(
        "--labels",
        default="labels",
        metavar="FOLDER",
        help="folder for corrected masks, for a training (default: labels)",
    )
    serve.add_argument("--no-browser", action="store_true", help="only print the address")
    serve.set_defaults(run=_serve)


def _serve(options):
    from crack_utils.inference.page.server import serve

    with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C is the usual way to end the page
        serve(options.model, options.port, options.megabytes, options.labels, browser=not options.no_browser)
    return 0
