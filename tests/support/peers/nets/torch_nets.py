"""PyTorch nets with zeros in all filters, by LiteRT's converter: torch_nets.py FOLDER ZEROS NET...

Runs in an environment of its own, which takes 5 GB:

    python3 -m venv nets
    nets/bin/python -m pip install litert-torch==0.10.0 torch==2.13.0 torchvision==0.28.0 \
        timm==1.0.31 ultralytics==8.4.190

Weights are random, and of each filter that is not depthwise the smallest are zero.
"""

from __future__ import annotations

import sys
from pathlib import Path

import litert_torch
import torch
from torch import nn


def _torchvision(name):
    from torchvision import models

    return lambda: getattr(models, name)(weights=None)


def _timm(name):
    from timm import create_model

    return lambda: create_model(name, pretrained=False)


def _yolo(name):
    from ultralytics import YOLO

    def make():
        model = YOLO(f"{name}.yaml").model.float().eval().fuse()
        model.model[-1].export, model.model[-1].format = True, "tflite"
        return model

    return make


# By name: which library has it, its name there, and the height and width of its pictures.
NETS = {
    "resnet18": (_torchvision, "resnet18", 224),
    "shufflenet_v2": (_torchvision, "shufflenet_v2_x1_0", 224),
    "regnet_y": (_torchvision, "regnet_y_400mf", 224),
    "densenet121_torch": (_torchvision, "densenet121", 224),
    "mobilenet_v3_torch": (_torchvision, "mobilenet_v3_large", 224),
    "ghostnet": (_timm, "ghostnet_100", 224),
    "mobilenet_v4_small": (_timm, "mobilenetv4_conv_small", 224),
    "mobilevit": (_timm, "mobilevit_xs", 256),
    "starnet": (_timm, "starnet_s1", 224),
    "fastvit": (_timm, "fastvit_t8", 256),
    "yolov8n": (_yolo, "yolov8n", 640),
    "yolo11n": (_yolo, "yolo11n", 640),
}


def _prune(net, zeros):
    generator = torch.Generator().manual_seed(0)
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.1, generator=generator)
            layer.bias.data.normal_(0, 0.1, generator=generator)
        if isinstance(layer, nn.Conv2d) and layer.groups == layer.in_channels:
            continue
        if isinstance(layer, nn.Conv2d | nn.Linear | nn.ConvTranspose2d):
            weight = layer.weight.detach()
            count = max(1, int(weight.numel() * zeros))
            least = weight.abs().flatten().kthvalue(count).values
            layer.weight.data = weight * (weight.abs() > least)
    return net.eval()


def main(folder: Path, zeros: float, names: list[str]) -> None:
    """Converts the nets."""
    for name in names:
        torch.manual_seed(0)
        library, known, size = NETS[name]
        net = _prune(library(known)(), zeros)
        picture = torch.randn(1, 3, size, size)
        litert_torch.convert(net, (picture,)).export(str(folder / f"{name}.tflite"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3:])
