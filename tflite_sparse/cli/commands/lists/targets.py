"""`tflite-sparse targets`: the targets and releases of the runtime that the tool knows."""

from __future__ import annotations

from tflite_sparse.cli.output import show_lines

__all__ = ["command"]


def command() -> None:
    """List the targets, kinds of processors and browsers, and the releases of the runtime."""
    from tflite_sparse.report.text.lists.targets import target_lines
    from tflite_sparse.xnnpack.releases.targets import targets

    show_lines(lambda width: target_lines(targets(), width))
