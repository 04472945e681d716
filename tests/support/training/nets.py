"""Chains of layers to train: MobileNet-like, for pictures of 16x16."""

from __future__ import annotations

import torch
from torch import nn

__all__ = ["chain"]


def chain(width: int = 32, classes: int = 10, seed: int = 0) -> nn.Sequential:
    """An entry of stride 2, four blocks of depthwise and 1x1 convolutions, and classes."""
    torch.manual_seed(seed)
    layers = [_normalized(3, width, 3, 2)]
    channels = width
    for stride in (1, 2, 1, 1):
        outputs = 2 * width if stride == 2 else channels
        layers.append(_normalized(channels, channels, 3, stride, channels))
        layers.append(_normalized(channels, outputs, 1))
        channels = outputs
    head = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))
    return nn.Sequential(*layers, *head)


def _normalized(
    inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, 1, groups, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU6())
