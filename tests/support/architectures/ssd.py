"""SSDLite on MobileNetV2: six maps, boxes and classes of each, put behind each other.

Written as TensorFlow's object detection code has it, without the post-processing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.architectures.mobilenet_v2 import backbone
from tests.support.architectures.net import Net, divisible

if TYPE_CHECKING:
    from tests.support.nets.builder import Value

__all__ = ["ssd"]

_EXTRA = (512, 256, 256, 128)


def ssd(size: int = 256, width: float = 1.0, classes: int = 91, **options: Any) -> bytes:
    """A detector.

    Args:
        size: height and width of the picture.
        width: factor of all channels.
        classes: number of classes, the background among them.
        options: those of `Net`.
    """
    net = Net("SSDLite on MobileNetV2", **options)
    *_, early, x = backbone(net, net.image(size), width)
    x = net.conv(x, divisible(1280 * max(1.0, width)), act="RELU6")
    maps = [early, x]
    for channels in _EXTRA:
        wide = divisible(channels * width)
        x = net.conv(x, wide // 2, act="RELU6")
        x = net.conv(net.depthwise(x, 3, 2, "RELU6"), wide, act="RELU6")
        maps.append(x)
    boxes, scores = [], []
    for number, x in enumerate(maps):
        anchors = 6 if number else 3
        boxes.append(_predicted(net, x, anchors, 4))
        scores.append(_predicted(net, x, anchors, classes))
    found = net.activate(net.concat(scores, axis=1), "LOGISTIC")
    return net.build(boxes=net.concat(boxes, axis=1), scores=found)


def _predicted(net: Net, x: Value, anchors: int, values: int) -> Value:
    """What is predicted for every anchor at every place: [batch, places x anchors, values]."""
    y = net.conv(net.depthwise(x, act="RELU6"), anchors * values, valid=True)
    return net.reshape(y, (net.batch, x.shape[1] * x.shape[2] * anchors, values))
