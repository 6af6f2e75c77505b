"""Train networks: the settings of an experiment, its preparation, `fit`, and the run folder that it writes."""
