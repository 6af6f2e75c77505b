"""Crack segmentation that anyone can rebuild, question and use on their own pictures.

Importing this package loads neither TensorFlow nor matplotlib: every papermill start imports it.
"""
