"""The names of all choices that an experiment has about its data.

This module imports nothing, so that a command can refuse an unknown name at once.
"""

SYNTHETIC = "synthetic"  # in place of a folder: specimens that are drawn
FITS = ("resize", "crop")  # how pictures come to the network's size: reduced as a whole (R24), or in parts as they are
AUGMENTATIONS = ("flips", "rich", "light")  # how training pictures are changed by chance; flips are the report's (R25)
LEAKS = ("", "none", "siblings", "drawn once", "drawn each epoch")  # how carelessly a split is drawn (S2, S3)
PATTERNS = ("growing", "forked", "inclined", "closed", "healed", "perforated", "tube", "bar")  # of synthetic cracks
