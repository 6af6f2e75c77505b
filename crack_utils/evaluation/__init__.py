"""From a finished run to its measures, its calibration, its bounds and its model card."""
