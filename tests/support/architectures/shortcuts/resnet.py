"""ResNet with bottlenecks: most of its work is in 3x3 convolutions, which never run sparse.

Compared with keras.applications.ResNet50 of Keras 3.15.1, converted by TensorFlow 2.21.0, operator
by operator at 224.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.architectures.net import Net

if TYPE_CHECKING:
    from tests.support.nets.builder import Value

__all__ = ["resnet"]

# Channels, how many, stride of the first.
_STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))


def resnet(size: int = 224, width: float = 1.0, classes: int = 1000, **options: Any) -> bytes:
    """ResNet50, a classifier.

    Args:
        size: height and width of the picture.
        width: factor of all channels.
        classes: number of classes.
        options: those of `Net`.
    """
    net = Net("ResNet50", **options)
    x = net.conv(net.image(size), int(64 * width), 7, 2, "RELU", pad=(3, 3))
    padded = net.g.pad_spatial(x)
    x = net.kept(x, net.g.max_pool(padded, kernel=3, stride=2), 2.0)
    for channels, count, first in _STAGES:
        for number in range(count):
            x = _bottleneck(net, x, int(channels * width), first, whole=number == 0)
    return net.softmax_of(net.dense(net.mean(x), classes, gain=2.0))


def _bottleneck(net: Net, x: Value, channels: int, stride: int, *, whole: bool) -> Value:
    """One block; where it is `whole` it has a stride and a convolution beside it."""
    stride = stride if whole else 1
    beside = net.conv(x, channels * 4, stride=stride, valid=True, gain=0.7) if whole else x
    y = net.conv(x, channels, stride=stride, act="RELU", valid=True)
    y = net.conv(net.conv(y, channels, 3, act="RELU"), channels * 4, valid=True, gain=0.7)
    return net.add(beside, y, "RELU")
