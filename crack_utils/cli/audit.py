"""Check published numbers on the command line: ``crack-utils audit``."""

import sys
from pathlib import Path


def add_commands(subparsers):
    """Add the command to a command line; its option ``run`` is a function that returns the exit status.

    Parameters
    ----------
    subparsers : argparse._SubParsersAction
    """
    audit = subparsers.add_parser(
        "audit",
        help="check whether published numbers can come from binary masks",
        description="Check for each row of a table whether its numbers can come from one binary mask.",
        epilog="example: crack-utils audit table.csv --plot masks.png",
    )
    audit.add_argument(
        "table",
        metavar="FILE",
        help="CSV with column names, or - for standard input. Column mean_iou is needed; name, accuracy, loss, "
        "loss_name (bce or focal), precision, recall, crack_share and set (its rows have one crack share) are optional",
    )
    audit.add_argument("--plot", type=Path, metavar="FILE", help="draw the possible masks into this PNG")
    audit.set_defaults(run=_audit)


def _audit(options):
    from crack_utils.study import audit

    try:
        text = sys.stdin.read() if options.table == "-" else Path(options.table).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{options.table}: not in UTF-8 (byte {error.start}); save it as CSV in UTF-8") from None
    try:
        rows = audit.read_table(text)
    except ValueError as error:
        raise ValueError(f"{'standard input' if options.table == '-' else options.table}: {error}") from None
    for result in audit.audit(rows):
        print(f"{result['name']}: {result['verdict']}\n  {result['because']}")
        print(f"  fits: {'; '.join(result['fits']) or 'no reading'}")
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
