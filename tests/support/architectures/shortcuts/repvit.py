"""RepViT: depthwise convolutions that mix pixels, then two 1x1 convolutions with GELU.

After RepViT-M0.9 (2024) with its branches joined, as converters from PyTorch write it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.architectures.net import Net, divisible

if TYPE_CHECKING:
    from tests.support.nets.builder import Value

__all__ = ["repvit"]

# Channels and blocks of each stage.
_STAGES = ((48, 3), (96, 4), (192, 16), (384, 3))


def repvit(size: int = 224, width: float = 1.0, classes: int = 1000, **options: Any) -> bytes:
    """RepViT-M0.9, a classifier.

    Args:
        size: height and width of the picture.
        width: factor of all channels.
        classes: number of classes.
        options: those of `Net`.
    """
    net = Net("RepViT-M0.9", **{"padding": "torch", **options})
    first = divisible(_STAGES[0][0] * width)
    x = _gelu(net, net.conv(net.image(size), first // 2, 3, 2))
    x = net.conv(x, first, 3, 2)
    for number, (channels, count) in enumerate(_STAGES):
        if number:
            x = net.conv(
                net.depthwise(_block(net, x, gated=False), 3, 2), divisible(channels * width)
            )
            x = _mixed(net, x)
        for index in range(count):
            x = _block(net, x, gated=index % 2 == 0)
    return net.softmax_of(net.dense(net.mean(x), classes, gain=2.0))


def _gelu(net: Net, x: Value) -> Value:
    return net.kept(x, net.g.unary("GELU", x), 0.43)


def _block(net: Net, x: Value, *, gated: bool) -> Value:
    x = net.depthwise(x)
    if gated:
        squeezed = net.conv(net.mean(x, keep_dims=True), divisible(x.shape[3] / 4), act="RELU")
        x = net.gated(x, net.activate(net.conv(squeezed, x.shape[3]), "LOGISTIC"))
    return _mixed(net, x)


def _mixed(net: Net, x: Value) -> Value:
    """Channels mixed by two 1x1 convolutions, beside a shortcut."""
    return net.add(x, net.conv(_gelu(net, net.conv(x, x.shape[3] * 2)), x.shape[3], gain=0.5))
