"""The slider on the first page: one photograph with the networks' masks and mean IoU at all thresholds.

    ```{threshold-slider} comparison slider
    ```

The arguments name a staged notebook and a value that it recorded, see `crack_utils.report.threshold_slider`. The page
contains everything, so the slider works from the file system without an internet connection. Without scripts, and in
print, the first and the last step are shown as a still picture.
"""

import json
from html import escape
from pathlib import Path

from docutils import nodes
from live_values import ValueMissing, follow, read_records
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

logger = logging.getLogger(__name__)

SCRIPT = (Path(__file__).parent / "threshold_slider.js").read_text(encoding="utf-8")


class ThresholdSlider(SphinxDirective):
    """The directive ``threshold-slider``; see the head of this file."""

    required_arguments = 2

    def run(self) -> list[nodes.Node]:
        stem, key = self.arguments
        notebook = Path(self.env.srcdir) / self.config.live_values_folder / f"{stem}.ipynb"
        self.env.note_dependency(str(notebook))
        try:
            data = follow(read_records(notebook), [key], stem)
        except ValueMissing as problem:
            logger.warning("threshold slider: %s", problem, type="live_values", location=self.get_location())
            return []
        return [nodes.raw("", html_of(data), format="html")]


def html_of(data: dict) -> str:
    """Return the slider as HTML: the still picture, and the controls that the script shows."""
    still = "".join(_column(data, step) for step in (0, -1))
    shown = "".join(
        f'<figure><img alt="What the network trained with {escape(network["title"])} marks as crack at this threshold" '
        f'class="mask"><figcaption><b>{escape(network["title"])}</b> '
        '<span class="score"></span></figcaption></figure>'
        for network in data["networks"]
    )
    embedded = json.dumps(data).replace("</", "<\\/")  # no text in it may end the script
    return f"""
<div class="threshold-slider" data-source="{escape(data["source"])}">
<div class="still">{still}</div>
<div class="moving" hidden>
<div class="pictures"><figure><img src="{data["photograph"]}" alt="Photograph of a cracked specimen">
<figcaption>photograph</figcaption></figure>{shown}</div>
<label>Drag the threshold. A pixel counts as crack from a probability of <output></output>
<input type="range" min="0" max="{len(data["labels"]) - 1}" value="0" step="1"></label>
<p class="order" aria-live="polite"></p>
</div>
<p class="source">notebooks/table1.ipynb · {escape(data["source"])}</p>
<script type="application/json">{embedded}</script>
<script>{SCRIPT}</script>
</div>
"""


def _column(data: dict, step: int) -> str:
    """Return one step of the still picture."""
    label = data["labels"][step]
    rows = "".join(
        f'<figure><img src="{network["masks"][step]}" alt="What the network trained with {escape(network["title"])} '
        f'marks as crack at a threshold of {escape(label)}"><figcaption><b>{escape(network["title"])}</b> '
        f"{network['mean_iou'][step]:.3f}</figcaption></figure>"
        for network in data["networks"]
    )
    return f'<div class="pictures"><p>crack from {escape(label)}</p>{rows}</div>'


def setup(app: Sphinx) -> dict:
    """Register the directive."""
    app.setup_extension("live_values")
    app.add_directive("threshold-slider", ThresholdSlider)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
