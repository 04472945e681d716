"""Two pictures through the same MobileNetV1, whose weights both read, and two outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.architectures.net import Net, divisible

if TYPE_CHECKING:
    from tests.support.nets.builder import Value

__all__ = ["siamese"]

_BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1))


def siamese(size: int = 128, width: float = 1.0, features: int = 128, **options: Any) -> bytes:
    """How much two pictures are alike, and what the first one is like.

    Args:
        size: height and width of both pictures.
        width: factor of all channels.
        features: numbers that describe a picture.
        options: those of `Net`.
    """
    net = Net("siamese MobileNet", **options)
    first, second = net.image(size, name="first"), net.image(size, name="second")
    with net.shared_weights() as again:
        left = _described(net, first, width, features)
        again()
        right = _described(net, second, width, features)
    difference = net.kept(left, net.g.sub(left, right), 2.0)
    squared = net.kept(left, net.g.mul(difference, difference))
    alike = net.activate(net.dense(squared, 1, gain=20.0), "LOGISTIC")
    return net.build(alike=alike, features=left)


def _described(net: Net, x: Value, width: float, features: int) -> Value:
    x = net.conv(x, divisible(32 * width), 3, 2, "RELU6")
    for channels, stride in _BLOCKS:
        x = net.depthwise(x, 3, stride, "RELU6", pad=(0, 1) if stride > 1 else None)
        x = net.conv(x, divisible(channels * width), act="RELU6")
    return net.dense(net.mean(x), features)
