"""From a trained network and a photograph to probability, mask, tip, measures, overlay and page."""
