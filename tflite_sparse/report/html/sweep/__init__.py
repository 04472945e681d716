"""A sweep over the share of zeros as one HTML page and as a picture."""

from tflite_sparse.report.html.sweep.page import sweep_page
from tflite_sparse.report.html.sweep.picture import picture_size, sweep_svg

__all__ = ["picture_size", "sweep_page", "sweep_svg"]
