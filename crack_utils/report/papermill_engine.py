"""Add an output path to a papermill command without one, such as `papermill notebooks/train.ipynb -p loss dice`.

Without an output path, papermill asks for one at a terminal, or prints the notebook if its output is redirected. With a
pipe as its input, it confuses the two paths. Papermill loads the entry points of the group `papermill.engine` before it
reads its command line, and this module is one of them. If the notebook is in this project's `notebooks/` and no output
is named, it is executed to `artifacts/executed/` under the name that the workflow uses. A failed notebook is saved in
`artifacts/logs/` instead, so that nobody mistakes it for a result.

While it runs, only what the notebook prints is shown, such as the epochs of a training; at the end, the sentence that
it came to and the path of the executed notebook. `--log-output`, `--progress-bar` or `--log-level` bring back
papermill's own messages. `--help-notebook` lists each parameter with its default and what is valid.

The module changes papermill's command after click has parsed the line, because importing `papermill.cli` here would be
circular. It does not change other programs that import papermill, other notebooks, or named outputs.
"""

import functools
import json
import logging
import os
import sys
from pathlib import Path

from crack_utils.report.notebooks import default_parameters, executed_name, parameter_help
from crack_utils.runtime import paths


def __getattr__(name):
    """Return the engine `ReportEngine`, the object named by the entry point.

    It is made here, because an import of papermill at the top would import this module again, incomplete.
    """
    if name == "ReportEngine":
        from papermill.engines import NBClientEngine

        class ReportEngine(NBClientEngine):
            """Papermill's standard engine, with a kernel that does not remark on its transport."""

            @classmethod
            def execute_managed_notebook(cls, nb_man, kernel_name, **options):
                """Execute the cells; see the base class."""
                super().execute_managed_notebook(nb_man, kernel_name, extra_arguments=["--log-level=ERROR"], **options)

        return ReportEngine
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def runs_papermill(argv, original_argv):
    """Return whether this process was started as `papermill …` or `python -m papermill …`.

    Parameters
    ----------
    argv, original_argv : list of str
        `sys.argv` and `sys.orig_argv`. While Python looks for the module to run, `argv[0]` is ``"-m"``.
    """
    if argv[:1] == ["-m"]:
        return original_argv[-len(argv)] == "papermill"
    return bool(argv) and Path(argv[0]).stem == "papermill"


def gives_output(notebook_path):
    """Return whether a path is an existing notebook in this project's `notebooks/`."""
    path = Path(notebook_path or "").resolve()
    return path.suffix == ".ipynb" and path.is_file() and path.parent == paths.root() / "notebooks"


def given_parameters(options):
    """Collect the parameters of a papermill command line; later ones override earlier ones, as in papermill.

    Parameters
    ----------
    options : dict
        The arguments that click passes to papermill's command.
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
    """Raise an error for parameters that a notebook does not have; papermill would ignore them and run for minutes.

    Parameters
    ----------
    notebook_path : path-like
    given : dict
        Name to value.

    Raises
    ------
    click.UsageError
        Names the unknown parameters and lists the valid ones, or names one that must be names and values.
    """
    import click

    defaults = default_parameters(Path(notebook_path))
    if unknown := [name for name in given if name not in defaults]:
        valid = ", ".join(f"{name} (default {default!r})" for name, default in defaults.items()) or "none"
        raise click.UsageError(f"{notebook_path} has no parameter {', '.join(unknown)}; valid are {valid}")
    for name, value in given.items():
        if isinstance(defaults[name], dict) and not isinstance(value, dict):
            raise click.UsageError(f"{name} must be names and values, as in -y '{name}: {{epochs: 20}}', not {value!r}")


def texts_stay_texts(notebook_path, options):
    """Keep parameters as text if their default is a text: ``-p data 20240115`` is a folder's name, not a number."""
    defaults = default_parameters(Path(notebook_path))
    texts = tuple(pair for pair in options["parameters"] if isinstance(defaults.get(pair[0]), str))
    others = tuple(pair for pair in options["parameters"] if pair not in texts)
    return options | {"parameters": others, "parameters_raw": (*options["parameters_raw"], *texts)}


def with_output(callback):
    """Wrap papermill's command so that this project's notebooks get their output path."""

    @functools.wraps(callback)
    def papermill(*args, notebook_path, output_path, **options):
        if gives_output(notebook_path) and options["help_notebook"]:
            print(parameter_help(Path(notebook_path)))
            return None
        if gives_output(notebook_path):
            options = texts_stay_texts(notebook_path, options)
            check_parameters(notebook_path, given_parameters(options))
        run = functools.partial(callback, *args, notebook_path=notebook_path, **options)
        if output_path or not gives_output(notebook_path):
            return run(output_path=output_path)
        final = paths.executed() / executed_name(Path(notebook_path).stem, given_parameters(options))
        draft = paths.artifacts() / "logs" / final.name
        if not options["log_output"] and not options["progress_bar"] and options["log_level"] == "INFO":
            show_only_what_is_printed()
            run = functools.partial(run, log_output=True, progress_bar=False, engine="crack-report")
        for path in (final, draft):
            path.parent.mkdir(parents=True, exist_ok=True)
        try:
            result = run(output_path=str(draft))
        except BaseException:
            if draft.is_file():
                _print(f"The notebook failed; it is saved, with the error, in {_shown(draft)}")
            raise
        if options["prepare_only"]:
            _print(f"The notebook is prepared, not executed: {_shown(draft)}")
            return result
        os.replace(draft, final)
        if sentence := result_of(final):
            _print(sentence)
        _print(f"The executed notebook is {_shown(final)}")
        return result

    return papermill


class Printed(logging.Handler):
    """Shows what a notebook prints, as it comes, and none of papermill's own messages but warnings."""

    def emit(self, record):
        """Show a record if a cell has printed it; what a cell displays, such as a figure, is left out."""
        text = record.getMessage().strip("\n")
        from_cell = record.funcName == "log_output_message"
        if text and (not text.startswith("<") if from_cell else record.levelno >= logging.WARNING):
            _print(text)


def show_only_what_is_printed():
    """Let papermill's log show only what the cells print."""
    logging.getLogger().addHandler(Printed())  # with a handler there, papermill adds none
    logging.getLogger("papermill").setLevel(logging.INFO)


def result_of(notebook):
    """Return the last text that an executed notebook displays as its result, without markup; empty if there is none."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    texts = [
        "".join(output["data"]["text/markdown"])
        for cell in cells
        for output in cell.get("outputs", [])
        if "text/markdown" in output.get("data", {})
    ]
    return texts[-1].replace("**", "").strip() if texts else ""


def _print(text):
    """Print to the error stream, separate from the output of the notebook."""
    print(text, file=sys.stderr, flush=True)


def _shown(path):
    """Return a path relative to the working directory if it is below it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _install():
    """Wrap papermill's command when it is first called, through click's `main`, which every start uses."""
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
