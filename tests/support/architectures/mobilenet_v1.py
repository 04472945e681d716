"""MobileNetV1 as Keras has it.

Compared with keras.applications.MobileNet of Keras 3.15.1, converted by TensorFlow 2.21.0, operator
by operator: 1.0 at 224, 0.5 at 193 and 0.25 at 96.
"""

from __future__ import annotations

from typing import Any

from tests.support.architectures.net import Net

__all__ = ["mobilenet_v1"]

_BLOCKS = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *((512, 1),) * 5,
    (1024, 2),
    (1024, 1),
)


def mobilenet_v1(size: int = 224, width: float = 1.0, classes: int = 1000, **options: Any) -> bytes:
    """A classifier.

    Args:
        size: height and width of the picture.
        width: factor of all channels.
        classes: number of classes.
        options: those of `Net`.
    """
    net = Net("MobileNetV1", **options)
    x = net.conv(net.image(size), int(32 * width), 3, 2, "RELU6")
    for channels, stride in _BLOCKS:
        # Keras pads (0, 1) whatever the size, so that an odd one loses a row.
        x = net.depthwise(x, 3, stride, "RELU6", pad=(0, 1) if stride > 1 else None)
        x = net.conv(x, int(channels * width), act="RELU6")
    x = net.conv(net.mean(x, keep_dims=True), classes, gain=2.0)
    return net.softmax_of(net.reshape(x, (net.batch, classes)))
