"""From an experiment to a run folder: settings, preparation, `fit`, and the folder read back."""
