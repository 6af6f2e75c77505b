"""Evaluate a finished run: measures, calibration, error bounds and model card."""
