"""Small nets in PyTorch: residual blocks with squeeze-and-excite, as in MobileNetV3.

Their weights are random, and most of those of 1x1 convolutions are zero. For commands that run with
the Python of an environment of their own, which find this module beside them.
"""

from __future__ import annotations

from torch import nn
from torch.nn import functional

__all__ = ["Classifier", "Segmenter", "prune"]


class Excite(nn.Module):
    """Scales channels by what a small net makes of their means."""

    def __init__(self, channels):
        super().__init__()
        self.squeeze, self.excite = nn.Conv2d(channels, 4, 1), nn.Conv2d(4, channels, 1)

    def forward(self, x):
        weight = self.excite(functional.relu(self.squeeze(x.mean((2, 3), keepdim=True))))
        return x * functional.hardsigmoid(weight)


class Residual(nn.Module):
    """An inverted residual."""

    def __init__(self, channels, kernel):
        super().__init__()
        wide = 2 * channels
        self.expand, self.norm = nn.Conv2d(channels, wide, 1, bias=False), nn.BatchNorm2d(wide)
        self.depthwise = nn.Conv2d(wide, wide, kernel, padding=kernel // 2, groups=wide)
        self.excite, self.project = Excite(wide), nn.Conv2d(wide, channels, 1)

    def forward(self, x):
        y = self.depthwise(functional.relu6(self.norm(self.expand(x))))
        return x + self.project(self.excite(functional.hardswish(y)))


class Trunk(nn.Module):
    """From a picture to a map of a quarter of its height and width."""

    def __init__(self, channels=24):
        super().__init__()
        self.stem = nn.Conv2d(3, channels, 3, 2, 1)
        self.blocks = nn.Sequential(Residual(channels, 3), Residual(channels, 5))
        self.down = nn.Conv2d(channels, channels, 3, 2, 1, groups=channels)
        self.last = nn.Conv2d(channels, 32, 1)

    def forward(self, x):
        x = self.blocks(functional.relu(self.stem(x)))
        return functional.relu(self.last(self.down(x)))


class Classifier(nn.Module):
    """Scores of a picture."""

    def __init__(self, channels=24):
        super().__init__()
        self.trunk, self.head = Trunk(channels), nn.Linear(32, 5)

    def forward(self, x):
        return self.head(self.trunk(x).mean((2, 3)))


class Segmenter(nn.Module):
    """Scores of every place of a picture."""

    def __init__(self):
        super().__init__()
        self.trunk, self.head = Trunk(), nn.Conv2d(32, 3, 1)

    def forward(self, x):
        return self.head(self.trunk(x))


def prune(net: nn.Module) -> nn.Module:
    """Puts zeros into the filters of 1x1 convolutions: the smallest weights."""
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d) and layer.kernel_size == (1, 1):
            magnitude = layer.weight.detach().abs()
            keep = magnitude >= magnitude.flatten().quantile(0.85)
            layer.weight.data *= keep
    return net.eval()
