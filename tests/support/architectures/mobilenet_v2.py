"""MobileNetV2 as Keras and as PyTorch have it, and as a backbone of larger nets.

Compared with keras.applications.MobileNetV2 of Keras 3.15.1, converted by TensorFlow 2.21.0,
operator by operator: 1.0 at 224, 0.35 at 193, 0.35 at 96 in batches of 2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.architectures.net import Net, divisible
from tests.support.architectures.padding import keras_pad

if TYPE_CHECKING:
    from tests.support.nets.builder import Value

__all__ = ["backbone", "inverted_residual", "mobilenet_v2", "stem"]

# Expansion, channels, how many, stride of the first.
_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def stem(net: Net, x: Value, width: float) -> Value:
    """The first convolution."""
    return net.conv(x, divisible(32 * width), 3, 2, "RELU6")


def inverted_residual(
    net: Net,
    x: Value,
    channels: int,
    expand: int,
    stride: int = 1,
    dilation: int = 1,
    wide: list[Value] | None = None,
) -> Value:
    """One block; its wide value before the depthwise convolution is appended to `wide`."""
    y = net.conv(x, x.shape[3] * expand, act="RELU6") if expand > 1 else x
    if wide is not None:
        wide.append(y)
    pad = keras_pad(y, 3) if stride > 1 else None
    y = net.depthwise(y, 3, stride, "RELU6", pad, dilation)
    y = net.conv(y, channels)
    return net.add(x, y) if stride == 1 and x.shape[3] == channels else y


def backbone(net: Net, x: Value, width: float, strides: int = 5) -> list[Value]:
    """All blocks.

    Args:
        net: the net.
        x: the picture.
        width: factor of all channels.
        strides: how many strides there are; those that are left out become dilations.

    Returns:
        The wide values from which a further stride starts, and the last value.
    """
    x = stem(net, x, width)
    maps: list[Value] = []
    dilation, halvings = 1, 1
    for expand, channels, count, first in _STAGES:
        for number in range(count):
            stride = first if number == 0 else 1
            before = dilation
            if stride > 1 and halvings == strides:
                stride, dilation = 1, dilation * 2
            halvings += stride > 1
            wide = maps if stride > 1 else None
            # The first block that takes no stride has the dilation of the one before it.
            used = before if number == 0 else dilation
            c = divisible(channels * width)
            x = inverted_residual(net, x, c, expand, stride, used, wide)
    return [*maps, x]


def mobilenet_v2(size: int = 224, width: float = 1.0, classes: int = 1000, **options: Any) -> bytes:
    """A classifier.

    Args:
        size: height and width of the picture.
        width: factor of all channels.
        classes: number of classes.
        options: those of `Net`; `padding="torch"` for the one of PyTorch.
    """
    net = Net("MobileNetV2", **options)
    x = backbone(net, net.image(size), width)[-1]
    x = net.conv(x, divisible(1280 * max(1.0, width)), act="RELU6", valid=True)
    return net.softmax_of(net.dense(net.mean(x), classes, gain=2.0))
