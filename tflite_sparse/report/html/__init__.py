"""Inspections as one HTML page that needs nothing but itself."""

from tflite_sparse.report.html.page import report_page

__all__ = ["report_page"]
