"""YOLOX: cross-stage blocks with swish, pooling at several sizes, and a pyramid of joined maps.

After YOLOX-Nano of Megvii (2021), as converters from PyTorch write it: the picture is sliced into
four before the first convolution, and maps are joined by CONCATENATION throughout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.architectures.net import Net, divisible

if TYPE_CHECKING:
    from tests.support.nets.builder import Value

__all__ = ["yolox"]

_STAGES = ((128, 1), (256, 3), (512, 3), (1024, 1))


def yolox(size: int = 416, width: float = 0.25, classes: int = 80, **options: Any) -> bytes:
    """YOLOX-Nano, a detector: boxes and classes at strides 8, 16 and 32.

    Args:
        size: height and width of the picture.
        width: factor of all channels.
        classes: number of classes.
        options: those of `Net`.
    """
    net = Net("YOLOX-Nano", **{"padding": "torch", **options})
    x = net.conv(_sliced(net, net.image(size)), divisible(64 * width), 3, act="swish")
    maps = []
    for number, (channels, count) in enumerate(_STAGES):
        wanted = divisible(channels * width)
        x = net.conv(net.depthwise(x, 3, 2, "NONE"), wanted, act="swish")
        if number + 1 == len(_STAGES):
            x = _pooled(net, x, wanted)
        x = _cross_stage(net, x, wanted, count)
        maps.append(x)
    _, fine, middle, coarse = maps
    levels = {"stride_32": coarse}
    x = coarse
    for name, beside in (("stride_16", middle), ("stride_8", fine)):
        x = net.conv(x, beside.shape[3], act="swish")
        x = net.concat([net.kept(x, net.g.resize_nearest(x, beside.shape[1:3])), beside])
        x = _cross_stage(net, x, beside.shape[3], 1)
        levels[name] = x
    return net.build(**{name: _head(net, x, width, classes) for name, x in levels.items()})


def _sliced(net: Net, x: Value) -> Value:
    """Every other pixel, four times, joined on channels."""
    _, height, width, channels = x.shape
    parts = [
        net.g.strided_slice(x, (0, top, left, 0), (1, height, width, channels), (1, 2, 2, 1))
        for left in (0, 1)
        for top in (0, 1)
    ]
    return net.kept(x, net.g.concat(parts))


def _cross_stage(net: Net, x: Value, channels: int, count: int) -> Value:
    half = channels // 2
    beside = net.conv(x, half, act="swish")
    y = net.conv(x, half, act="swish")
    for _ in range(count):
        inner = net.depthwise(net.conv(y, half, act="swish"))
        y = net.add(y, net.conv(inner, half, act="swish"))
    return net.conv(net.concat([y, beside]), channels, act="swish")


def _pooled(net: Net, x: Value, channels: int) -> Value:
    x = net.conv(x, channels // 2, act="swish")
    pools = [
        net.kept(x, net.g.max_pool(x, kernel=kernel, stride=1, padding="SAME"), 2.0)
        for kernel in (5, 9, 13)
    ]
    return net.conv(net.concat([x, *pools]), channels, act="swish")


def _head(net: Net, x: Value, width: float, classes: int) -> Value:
    x = net.conv(x, divisible(256 * width), act="swish")
    branches = []
    for outputs in (classes, 5):
        y = net.conv(net.depthwise(x), x.shape[3], act="swish")
        branches.append(net.conv(y, outputs))
    return net.concat(branches)
