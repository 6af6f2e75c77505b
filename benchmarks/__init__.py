"""How fast training, prediction and input are, as ratios within one run: `make benchmark`, or `python -m benchmarks`."""
