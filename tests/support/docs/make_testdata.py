"""Makes the models in testdata/: python -m tests.support.docs.make_testdata [FOLDER]."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.nets.builder import ModelBuilder

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FOLDER", "MODELS"]

FOLDER = Path(__file__).parents[3] / "testdata"


def mobilenet_tiny(*, stem: str, storage: str, zeros: float = 0.8) -> bytes:
    """A MobileNetV1 for 64x64 pictures with zeros in its 1x1 filters.

    Args:
        stem: "symmetric" pads 1 on each side, as sparse inference needs it; "same" is how Keras
            writes a layer of stride 2.
        storage: of the 1x1 filters, "dense" or "sparse".
        zeros: share of zeros in the 1x1 filters.
    """
    model = ModelBuilder(seed=2024, description="a small MobileNet, made for tflite-sparse")
    graph = model.graph()
    image = graph.input((1, 64, 64, 3), name="image")

    def halve(x, layer, **options):
        if stem == "same":
            return layer(x, stride=2, padding="SAME", **options)
        return layer(graph.pad_spatial(x), stride=2, padding="VALID", **options)

    def stem_conv(x, **options):
        return graph.conv2d(x, 16, kernel=3, **options)

    x = halve(image, stem_conv, activation="RELU6", name="stem")
    for number, (channels, stride) in enumerate(((32, 1), (48, 2), (48, 1), (64, 2), (64, 1))):
        options = {"activation": "RELU6", "name": f"block{number}/depthwise"}
        x = halve(x, graph.depthwise, **options) if stride > 1 else graph.depthwise(x, **options)
        x = graph.conv2d(
            x,
            channels,
            zeros=zeros,
            storage=storage,
            activation="RELU6",
            name=f"block{number}/pointwise",
        )
    x = graph.fully_connected(graph.mean(x), 10, name="logits")
    probabilities = graph.softmax(x)
    graph.output(probabilities)
    model.signature("serving_default", graph, {"image": image}, {"probabilities": probabilities})
    model.min_runtime_version("2.2.0" if storage == "sparse" else "1.14.0")
    return model.build()


MODELS: dict[str, Callable[[], bytes]] = {
    "mobilenet_tiny_80.tflite": lambda: mobilenet_tiny(stem="symmetric", storage="dense"),
    "mobilenet_tiny_80_sparse.tflite": lambda: mobilenet_tiny(stem="symmetric", storage="sparse"),
    "mobilenet_tiny_80_same.tflite": lambda: mobilenet_tiny(stem="same", storage="dense"),
}


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    for name, make in MODELS.items():
        (target / name).write_bytes(make())
