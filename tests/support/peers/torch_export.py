"""Small nets by LiteRT's converter for PyTorch, as a command: torch_export.py FOLDER.

Made testdata/exports, in an environment of its own that takes 2 GB:

    python3 -m venv exports
    exports/bin/python -m pip install --require-hashes -r tests/support/peers/torch_exports.lock
    exports/bin/python tests/support/peers/torch_export.py testdata/exports

The nets are residual blocks with squeeze-and-excite, as in MobileNetV3. Their weights are random,
and most of those of 1x1 convolutions are zero.
"""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import litert_torch
import torch
from torch import nn
from torch.export import Dim
from torch.nn import functional


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


def main(folder: Path) -> None:
    """Converts the nets."""
    torch.manual_seed(0)
    picture, pictures = torch.randn(1, 3, 32, 32), torch.randn(2, 3, 32, 32)
    classifier, segmenter = prune(Classifier()), prune(Segmenter())
    batch = ({0: Dim("batch", min=1, max=64)},)
    sides = ({2: Dim("height", min=8, max=512), 3: Dim("width", min=8, max=512)},)
    last = litert_torch.to_channel_last_io(segmenter, args=[0], outputs=[0]).eval()
    two = litert_torch.signature("classify", classifier, (picture,))
    two = two.signature("features", classifier.trunk, (picture,))
    nets = {
        "first": lambda: litert_torch.convert(classifier, (picture,)),
        "batch": lambda: litert_torch.convert(classifier, (pictures,), dynamic_shapes=batch),
        "hw": lambda: litert_torch.convert(segmenter, (picture,), dynamic_shapes=sides),
        "last": lambda: litert_torch.convert(last, (picture.permute(0, 2, 3, 1),)),
        "two": two.convert,
    }
    for name, convert in nets.items():
        path = folder / f"{name}.tflite"
        convert().export(str(path))
        data = path.read_bytes()
        path.with_suffix(".tflite.gz").write_bytes(gzip.compress(data, 9, mtime=0))
        path.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
