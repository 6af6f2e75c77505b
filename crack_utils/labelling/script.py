"""Export a recipe as a Python script, with one comment and one call per step, like the Image Segmenter's functions."""

import json
import textwrap

from crack_utils.labelling.steps import TOOLS

HEAD = '''"""A mask made with {count} steps, exported from the recipe {digest}…

    python this_script.py PHOTOGRAPH MASK.png
"""

import sys

import numpy as np

from crack_utils import labelling

RECIPE = "{digest_full}"


def label(image):
    """Return the primary and the secondary crack of an image as bool arrays of its height and width."""
    primary = np.zeros(image.shape[:2], dtype=bool)
    secondary = np.zeros(image.shape[:2], dtype=bool)
'''

TAIL = """    return primary, secondary


if __name__ == "__main__":
    primary, secondary = label(labelling.read_photo(sys.argv[1]))
    labelling.write_mask(sys.argv[2], primary | secondary, RECIPE)
"""


def script(recipe):
    """Return the Python script of a recipe.

    Parameters
    ----------
    recipe : Recipe

    Returns
    -------
    str
        It needs only this package; its function ``label`` can be imported and changed.
    """
    lines = [HEAD.format(count=len(recipe), digest=recipe.digest[:12], digest_full=recipe.digest)]
    for number, step in enumerate(recipe.steps, start=1):
        lines.append(f"    # {number}. {step.part} crack: {step}\n    {_call(step)}\n")
    return "".join([*lines, TAIL])


def _call(step):
    """Return the Python statement of a step."""
    part = step.part
    parameters = {name: value for name, value in step.parameters.items() if value is not None}
    if step.tool == "flood_fill":  # the function returns only the region
        combine = "|= " if parameters.pop("mode") == "add" else "&= ~"
        return f"{part} {combine}labelling.flood_fill(image, {_named(parameters)})"
    arguments = (["image"] if TOOLS[step.tool].needs_image else []) + [part]
    return f"{part} = labelling.{step.tool}({', '.join([*arguments, _named(parameters)] if parameters else arguments)})"


def _named(parameters):
    """Return keyword arguments as text."""
    return ", ".join(f"{name}={_value(value)}" for name, value in parameters.items())


def _value(value):
    """Return a parameter as Python text: exact numbers in their shortest form, points as a list."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if not isinstance(value, tuple):
        return repr(int(value) if value == int(value) else value)
    if isinstance(value[0], tuple):
        return _points(value)
    return f"[{', '.join(map(_value, value))}]"


def _points(points):
    """Return a list of points as text, with line breaks if it is long."""
    text = ", ".join(map(_value, points))
    if len(points) <= 4:
        return f"[{text}]"
    return "[\n" + textwrap.fill(text, 100, initial_indent=" " * 8, subsequent_indent=" " * 8) + "\n    ]"
