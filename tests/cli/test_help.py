"""The help of every command says what it does and gives an example that the command line accepts."""

import argparse
import shlex

import pytest

from crack_utils.cli import main


def commands(parser, name="crack-utils"):
    """Yield the name and the parser of each command, and of the commands below it."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, below in action.choices.items():
                yield f"{name} {word}", below
                yield from commands(below, f"{name} {word}")


PARSER = main._parser()
COMMANDS = dict(commands(PARSER))


@pytest.mark.parametrize("name", COMMANDS)
def test_has_a_description_and_an_example_that_is_accepted(name):
    command = COMMANDS[name]
    assert command.description and command.epilog
    examples = command.epilog.split(":", 1)[1].split(";")
    for example in examples:
        words = shlex.split(example)
        assert " ".join(words).startswith(name)
        assert callable(PARSER.parse_args(words[1:]).run)
