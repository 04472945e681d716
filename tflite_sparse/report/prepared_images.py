"""How images became inputs, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.runtime.data.images import Source

if TYPE_CHECKING:
    from tflite_sparse.runtime.data.images import Preparation

__all__ = ["images_words"]

_FROM = {
    Source.OPTION: "as asked for",
    Source.METADATA: "as the model's metadata say",
    Source.DEFAULT: "a guess, as no metadata say it: --mean and --std set them",
    Source.SHAPE: "by the input's shape",
}


def images_words(images: Preparation) -> list[str]:
    """Size, order and numbers of inputs that were images, and where each is known from.

    Args:
        images: how they became inputs.
    """
    order = f"{images.layout.upper()} {_FROM[images.layout_from]}"
    mean, std = (f"{name} {_numbers(getattr(images, name))}" for name in ("mean", "std"))
    if images.mean_from is images.std_from:
        numbers = [f"{mean} and {std}, {_FROM[images.mean_from]}"]
    else:
        numbers = [f"{mean}, {_FROM[images.mean_from]}", f"{std}, {_FROM[images.std_from]}"]
    return [f"{images.height}x{images.width}, {order}", *numbers]


def _numbers(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:g}" for value in values)
