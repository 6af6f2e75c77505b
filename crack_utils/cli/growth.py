"""Analyse a growth test on the command line: ``crack-utils growth``."""

from pathlib import Path

from crack_utils.cli.arguments import folder


def add_commands(subparsers):
    """Add the command ``growth`` to a command line; its option ``run`` is a function that returns the exit status.

    Parameters
    ----------
    subparsers : argparse._SubParsersAction
    """
    growth = subparsers.add_parser(
        "growth",
        help="crack length, growth rates, Paris' law and load curves of a test",
        description="Measure the crack in each photograph of a growth test, and write growth rates, Paris' law and "
        "load curves as tables, figures and a PDF. After an interruption, the same command continues.",
        epilog="example: crack-utils growth found --tables my_test",
    )
    growth.add_argument("folder", type=Path, metavar="FOLDER", help="results of predict, or a data set with true masks")
    growth.add_argument(
        "--tables",
        type=Path,
        metavar="FOLDER",
        help="folder of metadata.csv and specimens.csv; default: FOLDER or the folder above it",
    )
    growth.add_argument("--out", type=folder, metavar="DIR", help="folder for the results; default: FOLDER/growth")
    growth.set_defaults(run=_growth)


def _growth(options):
    from crack_utils.data.growth import find_tests
    from crack_utils.report.growth_analysis import analyse
    from crack_utils.report.growth_files import check_place, write_report
    from crack_utils.report.growth_tables import paris_table
    from crack_utils.runtime.atomic import lock

    out = options.out or options.folder / "growth"
    tests, notes = find_tests(options.folder, options.tables)
    check_place(out)
    for note in notes:
        print(note)
    (out / "readings").mkdir(parents=True, exist_ok=True)
    with lock(out, ValueError(f"{out}: another process writes there; wait for it, or give another folder")):
        left_out = []
        results = analyse(tests, out / "readings", left_out)
        write_report(results, out)
    for note in left_out:
        print(note)
    for result, row in zip(results, paris_table(results).to_dict("records"), strict=True):
        text = [f"{len(result.readings)} photographs"]
        if result.paris:
            text.append(f"C = {row['C']:.3g}, m = {row['m']:.2f} ({row['m_low']:.2f} to {row['m_high']:.2f})")
            text[-1] += " in mm/cycle and MPa √m"
        print(f"{result.specimen.name}: {'; '.join(filter(None, [*text, result.note]))}")
    print(f"Written: {out}/growth.pdf, with tables and figures beside it")
    return 0
