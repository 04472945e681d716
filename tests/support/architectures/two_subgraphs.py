"""Two nets in one file, each a subgraph with a signature: a classifier and a segmenter."""

from __future__ import annotations

from typing import Any

from tests.support.architectures.net import Net, divisible

__all__ = ["two_subgraphs"]

_BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1))


def two_subgraphs(size: int = 128, width: float = 1.0, classes: int = 20, **options: Any) -> bytes:
    """A model with the signatures "classify" and "segment".

    Args:
        size: height and width of the picture of either.
        width: factor of all channels.
        classes: number of classes of either.
        options: those of `Net`.
    """
    first = Net("two nets", **options)
    x = _trunk(first, size, width)
    logits = first.dense(first.mean(x), classes, gain=2.0)
    first.finish("classify", probabilities=first.g.softmax(logits))
    second = Net("segmenter", beside=first, **options)
    x = second.conv(_trunk(second, size, width), classes, valid=True)
    x = second.resize(x, size, half_pixel_centers=True)
    return second.build("segment", logits=x)


def _trunk(net: Net, size: int, width: float) -> Any:
    x = net.conv(net.image(size), divisible(32 * width), 3, 2, "RELU6")
    for channels, stride in _BLOCKS:
        x = net.depthwise(x, 3, stride, "RELU6", pad=(0, 1) if stride > 1 else None)
        x = net.conv(x, divisible(channels * width), act="RELU6")
    return x
