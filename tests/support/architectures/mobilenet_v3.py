"""MobileNetV3 as Keras has it: small, large and minimalistic.

Compared with keras.applications.MobileNetV3Small and MobileNetV3Large (also minimalistic) of Keras
3.15.1, converted by TensorFlow 2.21.0, operator by operator at 224, the small one also at 97: hard
swish has become one operator, the hard sigmoid of squeeze and excitation RELU6 and a MUL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from tests.support.architectures.net import Net, divisible
from tests.support.architectures.padding import keras_pad

if TYPE_CHECKING:
    from tests.support.nets.builder import Value

__all__ = ["mobilenet_v3"]

# Expansion, channels, kernel, stride, whether there is squeeze and excitation, activation.
_SMALL = (
    (1, 16, 3, 2, True, "RELU"),
    (72 / 16, 24, 3, 2, False, "RELU"),
    (88 / 24, 24, 3, 1, False, "RELU"),
    (4, 40, 5, 2, True, "HARD_SWISH"),
    (6, 40, 5, 1, True, "HARD_SWISH"),
    (6, 40, 5, 1, True, "HARD_SWISH"),
    (3, 48, 5, 1, True, "HARD_SWISH"),
    (3, 48, 5, 1, True, "HARD_SWISH"),
    (6, 96, 5, 2, True, "HARD_SWISH"),
    (6, 96, 5, 1, True, "HARD_SWISH"),
    (6, 96, 5, 1, True, "HARD_SWISH"),
)
_LARGE = (
    (1, 16, 3, 1, False, "RELU"),
    (4, 24, 3, 2, False, "RELU"),
    (3, 24, 3, 1, False, "RELU"),
    (3, 40, 5, 2, True, "RELU"),
    (3, 40, 5, 1, True, "RELU"),
    (3, 40, 5, 1, True, "RELU"),
    (6, 80, 3, 2, False, "HARD_SWISH"),
    (2.5, 80, 3, 1, False, "HARD_SWISH"),
    (2.3, 80, 3, 1, False, "HARD_SWISH"),
    (2.3, 80, 3, 1, False, "HARD_SWISH"),
    (6, 112, 3, 1, True, "HARD_SWISH"),
    (6, 112, 3, 1, True, "HARD_SWISH"),
    (6, 160, 5, 2, True, "HARD_SWISH"),
    (6, 160, 5, 1, True, "HARD_SWISH"),
    (6, 160, 5, 1, True, "HARD_SWISH"),
)


def mobilenet_v3(
    kind: Literal["small", "large"] = "small",
    size: int = 224,
    width: float = 1.0,
    classes: int = 1000,
    minimalistic: bool = False,
    **options: Any,
) -> bytes:
    """A classifier of pictures with values from 0 to 255.

    Args:
        kind: which one.
        size: height and width of the picture.
        width: factor of the channels of the blocks.
        classes: number of classes.
        minimalistic: without squeeze and excitation, hard swish and 5x5 kernels.
        options: those of `Net`.
    """
    net = Net(f"MobileNetV3 {kind}", **options)
    act = "RELU" if minimalistic else "HARD_SWISH"
    x = _scaled(net, net.image(size, square=255**2 / 3))
    x = net.conv(x, 16, 3, 2, act)
    for number, block in enumerate(_SMALL if kind == "small" else _LARGE):
        x = _block(net, x, block, width, first=number == 0, minimalistic=minimalistic)
    x = net.mean(net.conv(x, divisible(x.shape[3] * 6), act=act), keep_dims=True)
    last = 1024 if kind == "small" else 1280
    x = net.conv(x, divisible(last * max(1.0, width)), act=act)
    x = net.conv(x, classes, gain=2.0)
    return net.softmax_of(net.reshape(x, (net.batch, classes)))


def _scaled(net: Net, x: Value) -> Value:
    """From 0 … 255 to -1 … 1."""
    x = net.kept(x, net.g.mul(x, net.number(1 / 127.5)), 1 / 127.5**2)
    return net.kept(x, net.g.add(x, net.number(-1.0)), 1 / 4)


def _block(
    net: Net,
    x: Value,
    block: tuple[float, int, int, int, bool, str],
    width: float,
    *,
    first: bool,
    minimalistic: bool,
) -> Value:
    expansion, channels, kernel, stride, excited, act = block
    channels = divisible(channels * width)
    if minimalistic:
        kernel, excited, act = 3, False, "RELU"
    y = x if first else net.conv(x, divisible(x.shape[3] * expansion), act=act)
    y = net.depthwise(y, kernel, stride, act, keras_pad(y, kernel) if stride > 1 else None)
    if excited:
        y = _excited(net, y)
    y = net.conv(y, channels, gain=0.6)
    return net.add(x, y) if stride == 1 and x.shape[3] == channels else y


def _excited(net: Net, x: Value) -> Value:
    channels = x.shape[3]
    y = net.conv(net.mean(x, keep_dims=True), divisible(channels / 4), act="RELU")
    # The 3 that hard sigmoid adds has gone into the bias.
    y = net.conv(y, channels, act="RELU6", gain=0.7, shift=3.0)
    return net.gated(x, net.hard_gate(y))
