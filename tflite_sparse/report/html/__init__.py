"""Inspections as one HTML page that needs nothing but itself.

`views` compute what each section says, `svg` draws, `templates` say how it stands on the page.
"""

from tflite_sparse.report.html.page import report_page

__all__ = ["report_page"]
