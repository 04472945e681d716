"""Segmentation on a MobileNetV2: DeepLab, LR-ASPP, and U-Nets.

DeepLab has what TensorFlow's research code has: align_corners, a pool as large as the map, dilated
layers instead of the last stride. It and the U-Nets were compared with the same layers of Keras
3.15.1, converted by TensorFlow 2.21.0, operator by operator: at 224 and 257, and at 128. LR-ASPP is
written as its authors describe it.
"""

from __future__ import annotations

from typing import Any

from tests.support.architectures.mobilenet_v2 import backbone
from tests.support.architectures.net import Net, divisible

__all__ = ["deeplab", "lraspp", "unet", "unet_transposed"]

_STRIDE_16 = 4  # halvings


def deeplab(size: int = 224, width: float = 1.0, classes: int = 21, **options: Any) -> bytes:
    """DeepLabV3: logits for each pixel.

    Args:
        size: height and width of the picture.
        width: factor of the channels of the backbone.
        classes: number of classes.
        options: those of `Net`.
    """
    net = Net("DeepLabV3 on MobileNetV2", **options)
    image = net.image(size)
    x = backbone(net, image, width, strides=_STRIDE_16)[-1]
    height, across = x.shape[1:3]
    pointwise = net.conv(x, 256, act="RELU", valid=True)
    pooled = net.kept(x, net.g.average_pool(x, kernel=(height, across), stride=1), 0.5)
    pooled = net.conv(pooled, 256, act="RELU", valid=True)
    pooled = net.resize(pooled, (height, across), align_corners=True)
    x = net.concat([pooled, pointwise])
    x = net.conv(net.conv(x, 256, act="RELU", valid=True), classes, valid=True)
    return net.build(logits=net.resize(x, size, align_corners=True))


def lraspp(size: int = 224, width: float = 1.0, classes: int = 21, **options: Any) -> bytes:
    """LR-ASPP, which gates a map by its means and adds an early map: logits for each pixel.

    Args:
        size: height and width of the picture.
        width: factor of the channels of the backbone.
        classes: number of classes.
        options: those of `Net`.
    """
    net = Net("LR-ASPP on MobileNetV2", **options)
    _, _, early, *_, x = backbone(net, net.image(size), width, strides=_STRIDE_16)
    gate = net.conv(net.mean(x, keep_dims=True), 128, act="LOGISTIC")
    x = net.gated(net.conv(x, 128, act="RELU", valid=True), gate)
    x = net.resize(x, early.shape[1:3], half_pixel_centers=True)
    x = net.add(net.conv(x, classes), net.conv(early, classes))
    return net.build(logits=net.resize(x, size, half_pixel_centers=True))


def unet(size: int = 224, width: float = 1.0, classes: int = 21, **options: Any) -> bytes:
    """A U-Net that goes up by bilinear resizing and separable convolutions.

    Args:
        size: height and width of the picture, a multiple of 32.
        width: factor of all channels.
        classes: number of classes.
        options: those of `Net`.
    """
    net = Net("U-Net on MobileNetV2", **options)
    *maps, x = backbone(net, net.image(size), width)
    for channels, other in zip((192, 96, 64, 32), reversed(maps), strict=True):
        x = net.resize(x, other.shape[1:3], half_pixel_centers=True)
        x = net.concat([x, other])
        x = net.conv(net.depthwise(x), divisible(channels * width), act="RELU6", valid=True)
    x = net.conv(net.resize(x, size, half_pixel_centers=True), classes, valid=True)
    return net.build(probabilities=net.g.softmax(x))


def unet_transposed(size: int = 128, width: float = 1.0, classes: int = 3, **options: Any) -> bytes:
    """A U-Net that goes up by transposed convolutions, as TensorFlow's tutorial has it.

    Args:
        size: height and width of the picture, a multiple of 32.
        width: factor of all channels.
        classes: number of classes.
        options: those of `Net`.
    """
    net = Net("U-Net on MobileNetV2, transposed", **options)
    *maps, x = backbone(net, net.image(size), width)
    for channels, other in zip((512, 256, 128, 64), reversed(maps), strict=True):
        x = net.concat([net.transposed(x, divisible(channels * width), act="RELU"), other])
    return net.build(logits=net.transposed(x, classes))
