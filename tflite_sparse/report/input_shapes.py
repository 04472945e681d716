"""For which sizes something was said, where the file leaves sizes open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.model.sizes.asked import shown_open

if TYPE_CHECKING:
    from tflite_sparse.model.sizes.sized import InputShapes

__all__ = ["batch_words", "sizes_words"]


def sizes_words(shapes: InputShapes | None, done: str) -> str:
    """What to say about sizes; "" where there is nothing to say, as for an open batch alone.

    Args:
        shapes: the sizes; None where the file leaves none open.
        done: what was done at them, such as "planned".
    """
    if shapes is None or not shapes.inputs:
        return ""
    if any(entry.source == "given" for entry in shapes.inputs):
        words = f"{done} at {shapes.words}, as asked for"
    elif any(entry.source == "other" for entry in shapes.inputs):
        words = f"{done} at {shapes.words}, the size of the other model"
    elif shapes.chosen:
        words = f"{done} at {shapes.words}, as the file leaves {shapes.open_words} open"
    else:
        return ""
    return f"{words}; {shapes.unknown}" if shapes.unknown else words


def batch_words(shapes: InputShapes | None) -> str:
    """What to say about a batch that is left open; "" for None.

    Args:
        shapes: the sizes, where the file leaves batches open and nothing else.
    """
    if shapes is None:
        return ""
    return (
        f"the file leaves its batch open ({shown_open(shapes.inputs[0].open)}), which LiteRT.js"
        f" takes in no page; {shapes.fixing} fixes it"
    )
