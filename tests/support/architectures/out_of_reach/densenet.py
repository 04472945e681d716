"""DenseNet: each layer reads all those before it, joined on channels.

After keras.applications.DenseNet121, with each batch normalization that cannot be folded as MUL and
ADD by constants.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tests.support.architectures.net import Net, divisible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.nets.builder import Value

__all__ = ["densenet"]

_BLOCKS = (6, 12, 24, 16)


def densenet(
    size: int = 224,
    width: float = 1.0,
    classes: int = 1000,
    blocks: Sequence[int] = _BLOCKS,
    **options: Any,
) -> bytes:
    """DenseNet121, a classifier.

    Args:
        size: height and width of the picture.
        width: factor of all channels.
        classes: number of classes.
        blocks: layers of each block.
        options: those of `Net`.
    """
    net = Net("DenseNet121", **options)
    growth = divisible(32 * width)
    x = net.conv(net.image(size), growth * 2, 7, 2, "RELU", pad=(3, 3))
    x = net.kept(x, net.g.max_pool(net.g.pad_spatial(x), kernel=3, stride=2), 2.0)
    for number, count in enumerate(blocks):
        for _ in range(count):
            y = net.conv(_normalized(net, x), growth * 4, act="RELU")
            x = net.concat([x, net.conv(y, growth, 3)])
        if number + 1 < len(blocks):
            x = net.conv(_normalized(net, x), x.shape[3] // 2)
            x = net.kept(x, net.g.average_pool(x, kernel=2, stride=2))
    return net.softmax_of(net.dense(net.mean(_normalized(net, x)), classes, gain=2.0))


def _normalized(net: Net, x: Value) -> Value:
    """What a batch normalization in front of a convolution becomes, with its activation."""
    scale = net.weight(np.ones((1, 1, 1, x.shape[3]), np.float32))
    shift = net.weight(np.zeros((1, 1, 1, x.shape[3]), np.float32))
    return net.activate(net.kept(x, net.g.add(net.g.mul(x, scale), shift)), "RELU")
