"""What a rewrite did to all models in a folder, as JSON."""

from __future__ import annotations

from tflite_sparse.records import Count, Record
from tflite_sparse.report.json.rewrite import RewriteReport

__all__ = ["FolderEntry", "FolderReport"]


class FolderEntry(Record, frozen=True):
    """A model of a folder, and what came of it.

    Attributes:
        path: the model that was read.
        exit_code: 0 fine, 1 a check has failed, 2 an error.
        error: why it was not rewritten; null where it was.
        report: what was done; null for nothing.
    """

    path: str
    exit_code: Count
    error: str | None
    report: RewriteReport | None


class FolderReport(Record, frozen=True):
    """What a rewrite did to all models in a folder.

    Attributes:
        folder: the folder that was read.
        written: the folder that was written; null where nothing was.
        exit_code: the largest of those of the models.
        models: the models, in the order of their paths.
    """

    folder: str
    written: str | None
    exit_code: Count
    models: tuple[FolderEntry, ...]
