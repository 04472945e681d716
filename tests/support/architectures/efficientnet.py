"""EfficientNet, EfficientNetV2 and EfficientNet-Lite.

B0 and V2B0 were compared with keras.applications.EfficientNetB0 and EfficientNetV2B0 of Keras
3.15.1, converted by TensorFlow 2.21.0, operator by operator: at 224 with the preprocessing that
comes with ImageNet's weights, B0 at 224 and 193 without (it goes into the first filter). Swish is
LOGISTIC and MUL; the mean of squeeze and excitation keeps its dimensions, where converters before
had a RESHAPE behind it ("reshaped").

EfficientNet-Lite0 is written as TensorFlow's own code has it: RELU6, SAME everywhere, no squeeze
and excitation, and at the end a pool as large as the map, which the fully connected layer flattens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tests.support.architectures.net import Net, divisible
from tests.support.architectures.padding import keras_pad

if TYPE_CHECKING:
    from tests.support.nets.builder import Value

__all__ = ["Squeeze", "efficientnet", "efficientnet_lite", "efficientnet_v2", "squeezed_excited"]

Squeeze = Literal["kept", "reshaped", "dense"]
"""How the mean becomes [1, 1, 1, channels]: by keeping its dimensions, by a RESHAPE, or not at all,
with fully connected layers and the RESHAPE behind them."""

# Kernel, how many, channels, expansion, stride of the first.
_B0 = (
    (3, 1, 16, 1, 1),
    (3, 2, 24, 6, 2),
    (5, 2, 40, 6, 2),
    (3, 3, 80, 6, 2),
    (5, 3, 112, 6, 1),
    (5, 4, 192, 6, 2),
    (3, 1, 320, 6, 1),
)
# How many, channels, expansion, stride of the first, whether it is fused with a 3x3 convolution.
_V2B0 = (
    (1, 16, 1, 1, True),
    (2, 32, 4, 2, True),
    (2, 48, 4, 2, True),
    (3, 96, 4, 2, False),
    (5, 112, 6, 1, False),
    (8, 192, 6, 2, False),
)
_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)


def squeezed_excited(
    net: Net, x: Value, reduced: int, act: str = "swish", squeeze: Squeeze = "kept"
) -> Value:
    """A value times a gate for each channel that is made of all their means.

    Args:
        net: the net.
        x: the value.
        reduced: channels between the two layers.
        act: activation of the first layer.
        squeeze: how the mean becomes a map again.
    """
    channels = x.shape[3]
    shape = (net.batch, 1, 1, channels)
    y = net.mean(x, keep_dims=squeeze == "kept")
    if squeeze == "dense":
        y = net.activate(net.dense(y, reduced), act)
        y = net.reshape(net.activate(net.dense(y, channels, gain=0.7), "LOGISTIC"), shape)
        return net.gated(x, y)
    if squeeze == "reshaped":
        y = net.reshape(y, shape)
    y = net.conv(y, reduced, act=act)
    return net.gated(x, net.conv(y, channels, act="LOGISTIC", gain=0.7))


def efficientnet(
    size: int = 224,
    width: float = 1.0,
    classes: int = 1000,
    squeeze: Squeeze = "kept",
    trained: bool = True,
    **options: Any,
) -> bytes:
    """EfficientNetB0, a classifier of pictures with values from 0 to 255.

    Args:
        size: height and width of the picture.
        width: factor of all channels.
        classes: number of classes.
        squeeze: how squeeze and excitation is written.
        trained: whether it has ImageNet's preprocessing, so that values are from 0 to 255; from -1
            to 1 otherwise.
        options: those of `Net`.
    """
    net = Net("EfficientNetB0", **options)
    x = _normalized(net, size, 3) if trained else net.image(size)
    x = net.conv(x, divisible(32 * width), 3, 2, "swish", keras_pad(x, 3))
    for kernel, count, channels, expand, first in _B0:
        for number in range(count):
            y = net.conv(x, x.shape[3] * expand, act="swish") if expand > 1 else x
            stride = first if number == 0 else 1
            pad = keras_pad(y, kernel) if stride > 1 else None
            y = net.depthwise(y, kernel, stride, "swish", pad)
            y = squeezed_excited(net, y, max(1, x.shape[3] // 4), squeeze=squeeze)
            y = net.conv(y, divisible(channels * width), gain=0.6)
            x = net.add(y, x) if y.shape == x.shape else y
    return _classified(net, net.conv(x, divisible(1280 * width), act="swish"), classes)


def efficientnet_v2(
    size: int = 224, width: float = 1.0, classes: int = 1000, **options: Any
) -> bytes:
    """EfficientNetV2B0, a classifier of pictures with values from 0 to 255.

    Args:
        size: height and width of the picture.
        width: factor of all channels.
        classes: number of classes.
        options: those of `Net`.
    """
    net = Net("EfficientNetV2B0", **options)
    x = net.conv(_normalized(net, size, 2), divisible(32 * width), 3, 2, "swish")
    for count, channels, expand, first, fused in _V2B0:
        for number in range(count):
            stride = first if number == 0 else 1
            y = _fused(net, x, expand, stride) if fused else _mobile(net, x, expand, stride)
            made = divisible(channels * width)
            y = net.conv(y, made, gain=0.6) if expand > 1 else net.conv(y, made, 3, stride, "swish")
            x = net.add(y, x) if y.shape == x.shape else y
    return _classified(net, net.conv(x, divisible(1280 * width), act="swish"), classes)


def _fused(net: Net, x: Value, expand: int, stride: int) -> Value:
    return net.conv(x, x.shape[3] * expand, 3, stride, "swish") if expand > 1 else x


def _mobile(net: Net, x: Value, expand: int, stride: int) -> Value:
    y = net.depthwise(net.conv(x, x.shape[3] * expand, act="swish"), 3, stride, "swish")
    return squeezed_excited(net, y, max(1, x.shape[3] // 4))


def efficientnet_lite(
    size: int = 224, width: float = 1.0, classes: int = 1000, **options: Any
) -> bytes:
    """EfficientNet-Lite0, a classifier.

    Args:
        size: height and width of the picture.
        width: factor of the channels of the blocks.
        classes: number of classes.
        options: those of `Net`.
    """
    net = Net("EfficientNet-Lite0", **options)
    x = net.conv(net.image(size), 32, 3, 2, "RELU6")
    for kernel, count, channels, expand, first in _B0:
        for number in range(count):
            y = net.conv(x, x.shape[3] * expand, act="RELU6") if expand > 1 else x
            y = net.depthwise(y, kernel, first if number == 0 else 1, "RELU6")
            y = net.conv(y, divisible(channels * width))
            x = net.add(y, x) if y.shape == x.shape else y
    x = net.conv(x, 1280, act="RELU6")
    pooled = net.kept(x, net.g.average_pool(x, kernel=x.shape[1:3], stride=1), 0.5)
    return net.softmax_of(net.dense(pooled, classes, gain=2.0))


def _normalized(net: Net, size: int, factors: int) -> Value:
    """A picture from 0 to 255 as ImageNet's mean and deviation have it."""
    x = net.image(size, square=255**2 / 3)
    x = net.kept(x, net.g.mul(x, net.number(1 / 255)), 1 / 255**2)
    x = net.kept(x, net.g.sub(x, net.weight(_MEAN.reshape(1, 1, 1, 3))), 0.4)
    x = net.kept(x, net.g.mul(x, net.weight(1 / _DEVIATION.reshape(1, 1, 1, 3))), 20.0)
    if factors > 2:
        # Keras divides by the square root of the deviation once more.
        x = net.kept(x, net.g.mul(x, net.weight(1 / np.sqrt(_DEVIATION))), 4.4)
    return x


def _classified(net: Net, x: Value, classes: int) -> bytes:
    return net.softmax_of(net.dense(net.mean(x), classes, gain=2.0))
