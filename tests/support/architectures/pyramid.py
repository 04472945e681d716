"""A feature pyramid: maps at three scales, each with the coarser ones added to it."""

from __future__ import annotations

from typing import Any

from tests.support.architectures.mobilenet_v2 import backbone
from tests.support.architectures.net import Net, divisible

__all__ = ["pyramid"]


def pyramid(size: int = 256, width: float = 1.0, channels: int = 128, **options: Any) -> bytes:
    """Maps at strides 8, 16 and 32.

    Args:
        size: height and width of the picture.
        width: factor of all channels.
        channels: channels of each map.
        options: those of `Net`.
    """
    net = Net("feature pyramid on MobileNetV2", **options)
    *_, fine, middle, coarse = backbone(net, net.image(size), width)
    wanted = divisible(channels * width)
    x = net.conv(coarse, wanted)
    levels = {"stride_32": x}
    for name, beside in (("stride_16", middle), ("stride_8", fine)):
        x = net.resize(x, beside.shape[1:3], half_pixel_centers=True)
        x = net.add(net.conv(beside, wanted), x)
        levels[name] = x
    return net.build(
        **{name: net.conv(net.depthwise(x), wanted, act="RELU6") for name, x in levels.items()}
    )
