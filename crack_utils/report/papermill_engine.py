"""Give the user's papermill line its output path: `papermill notebooks/train.ipynb -p loss dice`, exactly.

Papermill itself asks for an output path at a terminal, prints the notebook where its output is redirected, and with a
pipe on its input takes the notebook's path for the output's. Every papermill start loads the entry points of the group
`papermill.engine` before it reads its command line, so that is where this module comes in. When the notebook lies in
this project's `notebooks/` and no output is named, it is executed to `artifacts/executed/` under the name that the
workflow uses. A failed notebook is left in `artifacts/logs/` instead, so nobody takes it for a result.

What is changed is papermill's own command, after click has parsed the line; importing `papermill.cli` here to change it
at once would be circular. Other programs that import papermill, other notebooks and named outputs are left alone.
"""

import functools
import os
import sys
from pathlib import Path

from crack_utils.report.notebooks import default_parameters, executed_name
from crack_utils.runtime import paths


def __getattr__(name):
    """Return papermill's standard engine as `ReportEngine`, the object that the entry point names.

    It is looked up when asked for, because importing papermill above would import this module again, half made.
    """
    if name == "ReportEngine":
        from papermill.engines import NBClientEngine

        return NBClientEngine
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def runs_papermill(argv, original_argv):
    """Tell whether this process was started as `papermill …` or `python -m papermill …`.

    Parameters
    ----------
    argv, original_argv : list of str
        `sys.argv` and `sys.orig_argv`. While Python looks for the module to run, `argv[0]` is ``"-m"``.
    """
    if argv[:1] == ["-m"]:
        return original_argv[-len(argv)] == "papermill"
    return bool(argv) and Path(argv[0]).stem == "papermill"


def gives_output(notebook_path):
    """Tell whether a path names an existing notebook of this project's `notebooks/`."""
    path = Path(notebook_path or "").resolve()
    return path.suffix == ".ipynb" and path.is_file() and path.parent == paths.root() / "notebooks"


def given_parameters(options):
    """Collect the parameters of a papermill command line in the order in which papermill lets one override another.

    Parameters
    ----------
    options : dict
        What click passes to papermill's command.
    """
    from base64 import b64decode

    from papermill.iorw import NoDatesSafeLoader, read_yaml_file
    from yaml import load

    values = {}
    for text in options["parameters_base64"]:
        values.update(load(b64decode(text), Loader=NoDatesSafeLoader) or {})
    for file in options["parameters_file"]:
        values.update(read_yaml_file(file) or {})
    for text in options["parameters_yaml"]:
        values.update(load(text, Loader=NoDatesSafeLoader) or {})
    values.update(options["parameters"])
    values.update(options["parameters_raw"])
    return values


def check_parameters(notebook_path, given):
    """Refuse parameters that a notebook does not have: papermill would run it for minutes and ignore them.

    Parameters
    ----------
    notebook_path : path-like
    given : dict
        Name to value.

    Raises
    ------
    click.UsageError
        Names the unknown parameters and lists the valid ones.
    """
    import click

    defaults = default_parameters(Path(notebook_path))
    if unknown := [name for name in given if name not in defaults]:
        valid = ", ".join(f"{name} (default {default!r})" for name, default in defaults.items()) or "none"
        raise click.UsageError(f"{notebook_path} has no parameter {', '.join(unknown)}; valid are {valid}")


def texts_stay_texts(notebook_path, options):
    """Pass on as text what the notebook has a text for: ``-p data 20240115`` is a folder's name, not a number."""
    defaults = default_parameters(Path(notebook_path))
    texts = tuple(pair for pair in options["parameters"] if isinstance(defaults.get(pair[0]), str))
    others = tuple(pair for pair in options["parameters"] if pair not in texts)
    return options | {"parameters": others, "parameters_raw": (*options["parameters_raw"], *texts)}


def with_output(callback):
    """Wrap the function behind papermill's command so that it executes this project's notebooks to their place."""

    @functools.wraps(callback)
    def papermill(*args, notebook_path, output_path, **options):
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # else remarks on the machine fill the page
        if gives_output(notebook_path) and not options["help_notebook"]:
            options = texts_stay_texts(notebook_path, options)
            check_parameters(notebook_path, given_parameters(options))
        run = functools.partial(callback, *args, notebook_path=notebook_path, **options)
        if output_path or options["help_notebook"] or not gives_output(notebook_path):
            return run(output_path=output_path)
        final = paths.executed() / executed_name(Path(notebook_path).stem, given_parameters(options))
        draft = paths.artifacts() / "logs" / final.name
        # A training takes minutes in one cell: at a terminal its progress is shown as it is printed.
        run = functools.partial(run, log_output=options["log_output"] or sys.stderr.isatty())
        for path in (final, draft):
            path.parent.mkdir(parents=True, exist_ok=True)
        try:
            result = run(output_path=str(draft))
        except BaseException:
            if draft.is_file():
                _say(f"The notebook failed; it is kept, with the error, in {_shown(draft)}")
            raise
        if options["prepare_only"]:
            _say(f"The notebook is prepared, not executed: {_shown(draft)}")
            return result
        os.replace(draft, final)
        _say(f"The executed notebook is {_shown(final)}")
        return result

    return papermill


def _say(text):
    """Tell the user something where it does not mix with a notebook's own output."""
    print(text, file=sys.stderr, flush=True)


def _shown(path):
    """Write a path as seen from the working directory if it is below it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _install():
    """Reach papermill's command when it is first called, by click's `main`, which every start of it goes through."""
    import click

    original = click.Command.main

    @functools.wraps(original)
    def main(command, *args, **options):
        if command.callback.__module__ == "papermill.cli":
            click.Command.main = original
            command.callback = with_output(command.callback)
        return original(command, *args, **options)

    click.Command.main = main


if runs_papermill(sys.argv, sys.orig_argv):
    _install()
