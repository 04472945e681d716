"""`tflite-sparse targets`: the targets and releases of the runtime that the tool knows."""

from __future__ import annotations

__all__ = ["command"]


def command() -> None:
    """List the targets, kinds of processors and browsers, and the releases of the runtime."""
    from tflite_sparse.report.text.console import Screen
    from tflite_sparse.report.text.lists.targets import target_lines
    from tflite_sparse.xnnpack.releases.targets import targets

    screen = Screen()
    screen.show(target_lines(targets(), screen.width))
