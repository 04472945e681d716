"""A MobileNet-like classifier of digits, trained here.

    python -m tests.end_to_end.torch.small_net testdata/trained

writes the one that the tests of `prune` read, and pictures that it was not trained on: it takes
larger pictures in colour, so that its graph can run sparse.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional

from tests.support.digits import digits, enlarged
from tests.support.nets.builder import ModelBuilder
from tflite_sparse.model import Model
from tflite_sparse.torch import from_tflite

if TYPE_CHECKING:
    from tests.support.nets.builder import Value

__all__ = ["EVALUATED", "TRAINED_ON", "accuracy", "net", "residual_net", "split", "trained"]

TRAINED_ON, EVALUATED = 1347, 450
PICTURES = 200


def net(width: int = 32, seed: int = 0, storage: str = "dense", *, large: bool = False) -> bytes:
    """The net with random weights: an entry, four blocks of depthwise and 1x1, and classes."""
    model = ModelBuilder(seed=seed, description="digits")
    graph = model.graph()

    def filters(*shape: int) -> np.ndarray:
        fan = shape[1] * shape[2] * (shape[3] if shape[0] > 1 else 1)
        return model.rng.normal(0, np.sqrt(2 / fan), shape).astype(np.float32)

    def weight(*shape: int) -> object:
        return graph.constant(filters(*shape), storage=storage)

    def bias(channels: int) -> object:
        return graph.constant(np.zeros(channels, np.float32), storage=storage)

    x = graph.pad_spatial(graph.input((1, 16, 16, 3))) if large else graph.input((1, 8, 8, 1))
    entry = {"stride": 2, "padding": "VALID"} if large else {}
    first = weight(width, 3, 3, x.shape[3])
    x = graph.conv2d(x, width, 3, activation="RELU6", filters=first, bias=bias(width), **entry)
    for stride in (1, 2, 1, 1):
        inputs, outputs = x.shape[3], width * (2 if x.shape[1] < 8 or stride == 2 else 1)
        padded = large and stride > 1
        x = graph.depthwise(
            graph.pad_spatial(x) if padded else x,
            3,
            stride,
            padding="VALID" if padded else "SAME",
            filters=weight(1, 3, 3, inputs),
            bias=bias(inputs),
            activation="RELU6",
        )
        x = graph.conv2d(
            x,
            outputs,
            filters=weight(outputs, 1, 1, inputs),
            bias=bias(outputs),
            activation="RELU6",
        )
    x = graph.fully_connected(
        graph.mean(x), 10, filters=filters(10, 1, 1, x.shape[3]).reshape(10, -1) * 0.5, bias=True
    )
    graph.output(graph.softmax(x))
    return model.build()


def residual_net(width: int = 32, seed: int = 0) -> bytes:
    """A ResNet-like net with random weights: an entry, two blocks of 3x3 convolutions, classes."""
    model = ModelBuilder(seed=seed, description="digits")
    graph = model.graph()

    def conv(x: Value, channels: int, kernel: int, activation: str = "RELU", **more: Any) -> Value:
        fan = kernel * kernel * x.shape[3]
        shape = (channels, kernel, kernel, x.shape[3])
        filters = model.rng.normal(0, np.sqrt(2 / fan), shape).astype(np.float32)
        bias = np.zeros(channels, np.float32)
        return graph.conv2d(
            x, channels, kernel, activation=activation, filters=filters, bias=bias, **more
        )

    x = graph.pad_spatial(graph.input((1, 16, 16, 3)))
    x = conv(x, width, 3, stride=2, padding="VALID")
    for channels in (width, 2 * width):
        x = x if x.shape[3] == channels else conv(x, channels, 1)
        inner = conv(conv(x, channels, 3), channels, 3, "NONE")
        x = graph.add(x, inner, "RELU")
    x = graph.fully_connected(graph.mean(x), 10, bias=True)
    graph.output(graph.softmax(x))
    return model.build()


def split(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Pictures and classes to train on, and others to evaluate."""
    images, labels = digits()
    order = np.random.default_rng(1000 + seed).permutation(len(images))
    first, rest = order[:TRAINED_ON], order[TRAINED_ON:]
    return images[first], labels[first], images[rest], labels[rest]


def trained(
    seed: int = 0,
    epochs: int = 20,
    width: int = 32,
    storage: str = "dense",
    *,
    large: bool = False,
    residual: bool = False,
) -> Model:
    """A net after training on the labels."""
    images, labels, _, _ = split(seed)
    images = enlarged(images) if large or residual else images
    model = Model.read(
        residual_net(seed=seed) if residual else net(width, seed, storage, large=large)
    )
    module = from_tflite(model)
    (logits,) = (s.inputs[0] for s in module.instructions if s.label.startswith("SOFTMAX"))
    x, y = torch.from_numpy(images), torch.from_numpy(labels)
    steps = epochs * (len(x) // 64)
    optimizer = torch.optim.Adam(module.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, steps)
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        batch = rng.integers(0, len(x), 64)
        got = module.run([x[batch]], [logits])[logits]
        optimizer.zero_grad()
        functional.cross_entropy(got, y[batch]).backward()
        optimizer.step()
        schedule.step()
    module.write_back(model)
    return Model.read(model.to_bytes())


def accuracy(model: Model, seed: int = 0) -> float:
    """The share of the evaluated pictures that a model gets right."""
    _, _, images, labels = split(seed)
    if model.main.inputs[0].shape[3] > 1:
        images = enlarged(images)
    with torch.no_grad():
        made = from_tflite(model)(torch.from_numpy(images))
    return float((made.argmax(-1).numpy() == labels).mean())


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    trained(large=True).write(folder / "digits.tflite")
    _, _, pictures, classes = split()
    pictures = (255 * enlarged(pictures[:PICTURES])).astype(np.uint8)
    np.savez_compressed(
        folder / "digits.npz", pictures=pictures, classes=classes[:PICTURES].astype(np.uint8)
    )
