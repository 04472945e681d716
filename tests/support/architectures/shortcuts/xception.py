"""Xception: separable convolutions between max-pools, with shortcuts of 1x1 convolutions.

After keras.applications.Xception, whose two first convolutions pad nothing: no map enters the
sparse layout as the model is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.architectures.net import Net, divisible

if TYPE_CHECKING:
    from tests.support.nets.builder import Value

__all__ = ["xception"]

_ENTRY = (128, 256, 728)
_MIDDLE = 8
_EXIT = (1024, 1536, 2048)


def xception(
    size: int = 299, width: float = 1.0, classes: int = 1000, middle: int = _MIDDLE, **options: Any
) -> bytes:
    """Xception, a classifier.

    Args:
        size: height and width of the picture.
        width: factor of all channels.
        classes: number of classes.
        middle: blocks of the middle flow.
        options: those of `Net`.
    """
    net = Net("Xception", **options)
    first, second = (divisible(channels * width) for channels in (32, 64))
    x = _unpadded(net, net.image(size), first, 2)
    x = _unpadded(net, x, second, 1)
    for number, channels in enumerate(divisible(channels * width) for channels in _ENTRY):
        x = _reduced(net, x, (channels, channels), active=number > 0)
    for _ in range(middle):
        y = x
        for _ in range(3):
            y = _separable(net, net.activate(y, "RELU"), x.shape[3], gain=0.5)
        x = net.add(x, y)
    first, second, third = (divisible(channels * width) for channels in _EXIT)
    x = _reduced(net, x, (x.shape[3], first), active=True)
    x = _separable(net, _separable(net, x, second, "RELU"), third, "RELU")
    return net.softmax_of(net.dense(net.mean(x), classes, gain=2.0))


def _unpadded(net: Net, x: Value, channels: int, stride: int) -> Value:
    """A convolution without padding, which `Net.conv` has only for 1x1 ones."""
    shape = (channels, 3, 3, x.shape[3])
    filters = net.weight(net.rng.standard_normal(shape) / (9 * x.shape[3]) ** 0.5)
    bias = net.weight(net.rng.standard_normal(channels) * 0.1)
    made = net.g.conv2d(x, channels, (3, 3), stride, "VALID", "RELU", filters=filters, bias=bias)
    return net.kept(x, made, 0.5)


def _separable(net: Net, x: Value, channels: int, act: str = "NONE", gain: float = 1.0) -> Value:
    return net.conv(net.depthwise(x), channels, act=act, gain=gain)


def _reduced(net: Net, x: Value, channels: tuple[int, int], *, active: bool) -> Value:
    """Two separable convolutions and a max-pool, beside a 1x1 convolution with stride 2."""
    beside = net.conv(x, channels[1], stride=2, gain=0.7)
    y = net.activate(x, "RELU") if active else x
    y = _separable(net, _separable(net, y, channels[0], "RELU"), channels[1], gain=0.7)
    y = net.kept(y, net.g.max_pool(y, kernel=3, stride=2, padding="SAME"), 2.0)
    return net.add(beside, y)
