"""A wide variety of specimens in test rigs, to train networks for photographs of tests.

They are plates, standard specimens and pipes in any orientation and with many finishes. Their notches are of all kinds.
Notches, weld seams and pen writing are not cracks. A crack has one tip or two, or there is no crack yet.
`render_specimen` draws one photograph.
"""

from crack_utils.data.synthetic.wide.render import WIDE_VERSION, SpecimenPhotograph, measure_specimen, render_specimen

__all__ = ["WIDE_VERSION", "SpecimenPhotograph", "measure_specimen", "render_specimen"]
