"""StarNet: blocks that multiply two 1x1 convolutions with each other, between 7x7 depthwise ones.

After StarNet-S1 of "Rewrite the Stars" (2024), as converters from PyTorch write it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.architectures.net import Net, divisible

if TYPE_CHECKING:
    from tests.support.nets.builder import Value

__all__ = ["starnet"]

# Channels and blocks of each stage.
_STAGES = ((24, 2), (48, 2), (96, 8), (192, 3))


def starnet(size: int = 224, width: float = 1.0, classes: int = 1000, **options: Any) -> bytes:
    """StarNet-S1, a classifier.

    Args:
        size: height and width of the picture.
        width: factor of all channels.
        classes: number of classes.
        options: those of `Net`.
    """
    net = Net("StarNet-S1", **{"padding": "torch", **options})
    x = net.conv(net.image(size), divisible(32 * width), 3, 2, "RELU6")
    for channels, count in _STAGES:
        x = net.conv(x, divisible(channels * width), 3, 2)
        for _ in range(count):
            x = _block(net, x)
    return net.softmax_of(net.dense(net.mean(x), classes, gain=2.0))


def _block(net: Net, x: Value) -> Value:
    channels = x.shape[3]
    y = net.depthwise(x, 7)
    gate = net.conv(y, channels * 4, act="RELU6")
    y = net.kept(gate, net.g.mul(gate, net.conv(y, channels * 4)))
    return net.add(x, net.depthwise(net.conv(y, channels), 7))
