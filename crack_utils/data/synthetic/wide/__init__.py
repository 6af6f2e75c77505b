"""Specimens in a test rig, drawn widely: what a network should have seen before it is shown a photograph of a test.

Plates, standard specimens and pipes in any orientation and finish; notches of all kinds, which are not crack; a crack
with one tip, with two, or none yet; and what stands around. `render_specimen` gives one photograph.
"""

from crack_utils.data.synthetic.wide.render import WIDE_VERSION, SpecimenPhotograph, measure_specimen, render_specimen

__all__ = ["WIDE_VERSION", "SpecimenPhotograph", "measure_specimen", "render_specimen"]
