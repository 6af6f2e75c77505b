"""Figures as SVG beside the PNG of a page: a notebook keeps both, and the book takes them apart."""

import base64
import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PNG, SVG = b"the picture", "<svg>the drawing</svg>"


@pytest.fixture
def vector_figures(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "book" / "_ext"))
    import vector_figures

    return vector_figures


def test_the_svg_of_a_figure_is_kept_under_the_name_of_its_png(vector_figures, tmp_path):
    both = {"image/png": base64.b64encode(PNG).decode(), "image/svg+xml": ["<svg>the ", "drawing</svg>"]}
    alone = {"image/svg+xml": SVG}
    notebook = {"cells": [{"outputs": [{"data": both}, {"data": alone}]}, {"source": "# words"}]}
    vector_figures.take_out(notebook, tmp_path / "figures")
    assert both.keys() == {"image/png"} and alone == {"image/svg+xml": SVG}
    (file,) = (tmp_path / "figures").iterdir()
    assert file.name == hashlib.sha256(PNG).hexdigest() + ".svg" and file.read_text() == SVG


def test_a_notebook_keeps_its_figures_in_both_forms(tmp_path):
    source = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
import matplotlib.pyplot as plt
from crack_utils.report.figures.style import use_style
use_style()
data, _ = shell.display_formatter.format(plt.figure())
print(sorted(kind for kind in data if kind.startswith("image/")))
"""
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert "['image/png', 'image/svg+xml']" in done.stdout
