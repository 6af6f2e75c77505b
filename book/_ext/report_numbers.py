"""The style of the bibliography: a reference of the report keeps its number there, and a citation shows the number.

The field ``number_in_report`` of `references.bib` holds it. References without one follow in the order of citation.
"""

from pybtex.plugin import register_plugin
from pybtex.style.formatting.unsrt import Style
from pybtex.style.sorting import BaseSortingStyle
from sphinx.application import Sphinx


class ByReportNumber(BaseSortingStyle):
    """Sort references by their number in the report; those without one keep their order."""

    def sorting_key(self, entry) -> int:
        return int(entry.fields.get("number_in_report", 0))


class ReportNumbers(Style):
    """Write references as the style ``unsrt`` does, sorted by `ByReportNumber`."""

    default_sorting_style = ByReportNumber


def setup(app: Sphinx) -> dict:
    """Register the style under the name that `_config.yml` gives to ``bibtex_default_style``."""
    register_plugin("pybtex.style.formatting", "report_numbers", ReportNumbers)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
