"""The quality of a model that was pruned, in one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.report.quality import MARGIN, held_out_words, margin_words, rough_words
from tflite_sparse.report.text.headings import Lines, labelled, linked

if TYPE_CHECKING:
    from tflite_sparse.pruning.measures import Quality

__all__ = ["quality_lines", "quality_measure"]

# An agreement that full int8 exceeds as a rule, and a ratio in dB: a tenth of the signal is wrong.
_GOOD, _CLEAR = 0.9, 20.0


def quality_lines(quality: Quality, width: int) -> Lines:
    """How near a file comes to the dense model, and what to do where that is not very near.

    Args:
        quality: it.
        width: the room for a line in characters.
    """
    agreement, ratio = quality.agreement, quality.snr
    held_out = held_out_words(quality)
    if agreement is not None:
        margin = margin_words(quality.margin)
        sure = f" ({margin} points, {MARGIN})" if margin else ""
        words = f"the dense model's first answer for {100 * agreement:.1f} %{sure} of {held_out}"
    elif ratio is not None:
        words = f"{ratio:.1f} dB from the dense model in its worst output, on {held_out}"
    else:
        words = f"the same outputs as the dense model, on {held_out}"
    lines = labelled("Quality", [f"{words}, all steps together"], width, style="bold")
    rough = rough_words(quality)
    lines += labelled("Note", [rough], width, style="yellow") if rough else []
    if quality.warning is not None:
        return lines + labelled("Warning", [quality.warning], width, style="yellow")
    far = agreement < _GOOD if agreement is not None else ratio is not None and ratio < _CLEAR
    if far:
        words = (
            "that is far from the dense model; fewer zeros or --method train keep more, and full"
            " int8, which needs no zeros, as a rule most"
        )
        lines += labelled("Warning", [words], width, style="yellow")
        lines += linked("More", "recipes/int8-or-sparse.md")
    return lines


def quality_measure(quality: Quality) -> str:
    """What is measured, for the column of a table."""
    if quality.agreement is not None:
        return "the share of them that get the dense model's first answer"
    return "signal by error in the output that is furthest from the dense model's, in dB"
