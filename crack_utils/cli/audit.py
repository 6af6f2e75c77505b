"""The shell's way to published numbers: ``crack-utils audit``."""

import sys
from pathlib import Path

__all__ = ["add_commands"]


def add_commands(subparsers):
    """Add the command to a command line; what it sets as ``run`` returns the exit status.

    Parameters
    ----------
    subparsers : argparse._SubParsersAction
    """
    audit = subparsers.add_parser("audit", help="say whether published numbers can come from one hard mask a row")
    audit.add_argument(
        "table",
        metavar="FILE",
        help="CSV with a head, - to paste it: mean_iou, and of name, accuracy, loss, loss_name (bce or focal), "
        "precision, recall, crack_share, set (rows of one set share its crack) what is known",
    )
    audit.add_argument("--plot", type=Path, metavar="FILE", help="draw the masks that the numbers allow into this PNG")
    audit.set_defaults(run=_audit)


def _audit(options):
    from crack_utils.study import audit

    text = sys.stdin.read() if options.table == "-" else Path(options.table).read_text(encoding="utf-8-sig")
    rows = audit.read_table(text)
    for found in audit.audit(rows):
        print(f"{found['name']}: {found['verdict']}\n  {found['because']}")
        print(f"  fits: {'; '.join(found['fits']) or 'no reading'}")
    if options.plot:
        _plot(rows, options.plot)
    return 0


def _plot(rows, path):
    import matplotlib

    matplotlib.use("Agg")
    from crack_utils.report import figures

    figures.use_style()
    figures.audited(rows).savefig(path, dpi=150)
    print(f"Drawn: {path}")
