"""Super-resolution: blocks at full size and DEPTH_TO_SPACE at the end.

Residual blocks of MobileNetV2 in the frame of ESPCN: no stride anywhere, so that no layer is one
through which the runtime goes sparse. Compared with the same layers of Keras 3.15.1, converted by
TensorFlow 2.21.0, operator by operator at 128.
"""

from __future__ import annotations

from typing import Any

from tests.support.architectures.net import Net, divisible

__all__ = ["super_resolution"]


def super_resolution(
    size: int = 128, width: float = 1.0, blocks: int = 6, scale: int = 2, **options: Any
) -> bytes:
    """Makes a picture larger.

    Args:
        size: height and width of the picture.
        width: factor of all channels.
        blocks: number of residual blocks.
        scale: how many times larger it becomes.
        options: those of `Net`.
    """
    net = Net("super-resolution", **options)
    x = net.conv(net.image(size), divisible(32 * width), 3, act="RELU")
    for _ in range(blocks):
        y = net.conv(x, x.shape[3] * 4, act="RELU", valid=True)
        y = net.conv(net.depthwise(y, act="RELU"), x.shape[3], valid=True, gain=0.5)
        x = net.add(x, y)
    x = net.conv(x, 3 * scale**2, valid=True)
    return net.build(picture=net.kept(x, net.g.depth_to_space(x, scale)))
