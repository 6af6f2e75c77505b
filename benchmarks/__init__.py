"""Speed of training, prediction and input, as ratios within one run: `make benchmark`, or `python -m benchmarks`."""
