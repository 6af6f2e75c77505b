"""How to cite this very version: the directive ``cite-this``, from CITATION.cff and the commit that is checked out.

Without a repository (in a downloaded archive) the commit is the one that the notebooks recorded.
"""

import subprocess
from pathlib import Path

import yaml
from docutils import nodes
from live_values import read_records
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.docutils import SphinxDirective

BIBTEX = """@software{{crack_utils,
  title = {{{title}}},
  author = {{{author}}},
  version = {{{version}}},
  date = {{{date}}},
  note = {{commit {commit}}}
}}"""


class CiteThis(SphinxDirective):
    """The directive ``cite-this``; see the head of this file."""

    def run(self) -> list[nodes.Node]:
        root = Path(self.env.srcdir)
        self.env.note_reread()  # a commit changes no file of the page
        about = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
        recorded = read_records(root / self.config.live_values_folder / "comparison.ipynb").get("commit", "unknown")
        commit, date = version_of(root, recorded)
        author = ", ".join(each["name"] for each in about["authors"])
        cited = {"title": about["title"], "author": author, "version": about["version"]}
        cited |= {"commit": commit, "date": date}
        sentence = f"{author}: {about['title']}. Version {about['version']}, {date or 'undated'}, commit {commit}."
        entry = BIBTEX.format(**cited)
        return [nodes.paragraph("", sentence), nodes.literal_block(entry, entry, language="bibtex")]


def version_of(root: Path, recorded: str) -> tuple[str, str]:
    """Return the commit and its date (ISO 8601); ``recorded`` and nothing where there is no repository."""
    command = ["git", "-C", str(root), "log", "-1", "--format=%h %cs"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return recorded, ""
    commit, date = done.stdout.split()
    return commit, date


def _tell_the_version(app: Sphinx, config: Config) -> None:
    if not config.version:  # of the book: an ePub has to have one
        about = yaml.safe_load((Path(app.srcdir) / "CITATION.cff").read_text(encoding="utf-8"))
        config.version = config.release = str(about["version"])


def setup(app: Sphinx) -> dict:
    """Register the directive, and the version that a book of several forms needs."""
    app.setup_extension("live_values")
    app.connect("config-inited", _tell_the_version)
    app.add_directive("cite-this", CiteThis)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
