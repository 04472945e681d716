"""Architectures as Keras, PyTorch and TensorFlow write them, with random weights and many zeros.

    data = build("mobilenet_v2", small=True, storage="fp16")

The weights are random, the zeros are those of least magnitude, and activations keep their scale
from the first layer to the last. Each module says what it was compared with.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.support.architectures.efficientnet import (
    efficientnet,
    efficientnet_lite,
    efficientnet_v2,
)
from tests.support.architectures.mobilenet_v1 import mobilenet_v1
from tests.support.architectures.mobilenet_v2 import mobilenet_v2
from tests.support.architectures.mobilenet_v3 import mobilenet_v3
from tests.support.architectures.out_of_reach.densenet import densenet
from tests.support.architectures.out_of_reach.starnet import starnet
from tests.support.architectures.out_of_reach.yolox import yolox
from tests.support.architectures.pyramid import pyramid
from tests.support.architectures.segmentation import deeplab, lraspp, unet, unet_transposed
from tests.support.architectures.shortcuts.repvit import repvit
from tests.support.architectures.shortcuts.resnet import resnet
from tests.support.architectures.shortcuts.xception import xception
from tests.support.architectures.siamese import siamese
from tests.support.architectures.ssd import ssd
from tests.support.architectures.super_resolution import super_resolution
from tests.support.architectures.two_subgraphs import two_subgraphs

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ARCHITECTURES", "OUT_OF_REACH", "Architecture", "build"]


@dataclass(frozen=True)
class Architecture:
    """An architecture in two sizes.

    Attributes:
        make: builds it; takes the options of `Net` too.
        full: what to build it with in the size that people use.
        small: what to build it with where time matters.
        low: the least value of its inputs.
        high: the largest.
    """

    make: Callable[..., bytes]
    full: dict[str, Any] = field(default_factory=dict)
    small: dict[str, Any] = field(default_factory=dict)
    low: float = -1.0
    high: float = 1.0


_SMALL = {"size": 96, "width": 0.35, "classes": 50}
_SEGMENTED = {"size": 96, "width": 0.35, "classes": 5}
_BYTES = {"low": 0.0, "high": 255.0}

ARCHITECTURES: dict[str, Architecture] = {
    "mobilenet_v1": Architecture(mobilenet_v1, {}, _SMALL),
    "mobilenet_v1_050_192": Architecture(mobilenet_v1, {"size": 192, "width": 0.5}, _SMALL),
    "mobilenet_v1_explicit": Architecture(
        mobilenet_v1, {"padding": "explicit"}, {**_SMALL, "padding": "explicit"}
    ),
    "mobilenet_v1_193": Architecture(mobilenet_v1, {"size": 193}, {**_SMALL, "size": 97}),
    "mobilenet_v1_225": Architecture(mobilenet_v1, {"size": 225}, {**_SMALL, "size": 113}),
    "mobilenet_v2": Architecture(mobilenet_v2, {}, _SMALL),
    "mobilenet_v2_193": Architecture(mobilenet_v2, {"size": 193}, {**_SMALL, "size": 97}),
    "mobilenet_v2_torch": Architecture(
        mobilenet_v2, {"padding": "torch"}, {**_SMALL, "padding": "torch"}
    ),
    "mobilenet_v2_channels_first": Architecture(
        mobilenet_v2,
        {"padding": "torch", "channels_first": True},
        {**_SMALL, "padding": "torch", "channels_first": True},
    ),
    "mobilenet_v2_batch_2": Architecture(mobilenet_v2, {"batch": 2}, {**_SMALL, "batch": 2}),
    "mobilenet_v2_fp16": Architecture(
        mobilenet_v2, {"storage": "fp16"}, {**_SMALL, "storage": "fp16"}
    ),
    "mobilenet_v3_small": Architecture(mobilenet_v3, {}, _SMALL, **_BYTES),
    "mobilenet_v3_large": Architecture(
        mobilenet_v3, {"kind": "large"}, {**_SMALL, "kind": "large"}, **_BYTES
    ),
    "mobilenet_v3_large_minimalistic": Architecture(
        mobilenet_v3,
        {"kind": "large", "minimalistic": True},
        {**_SMALL, "kind": "large", "minimalistic": True},
        **_BYTES,
    ),
    "efficientnet_b0": Architecture(efficientnet, {}, _SMALL, **_BYTES),
    "efficientnet_b0_reshaped": Architecture(
        efficientnet, {"squeeze": "reshaped"}, {**_SMALL, "squeeze": "reshaped"}, **_BYTES
    ),
    "efficientnet_b0_dense": Architecture(
        efficientnet, {"squeeze": "dense"}, {**_SMALL, "squeeze": "dense"}, **_BYTES
    ),
    "efficientnet_v2b0": Architecture(efficientnet_v2, {}, _SMALL, **_BYTES),
    "efficientnet_v2b0_wide": Architecture(
        efficientnet_v2, {"wide": True}, {**_SMALL, "wide": True}, **_BYTES
    ),
    "efficientnet_lite0": Architecture(efficientnet_lite, {}, _SMALL),
    "resnet50": Architecture(resnet, {}, {"size": 64, "width": 0.25, "classes": 50}),
    "resnet50_wide": Architecture(
        resnet, {"wide": True}, {"size": 64, "width": 0.5, "classes": 50, "wide": True}
    ),
    "xception": Architecture(xception, {}, {"size": 75, "width": 0.25, "classes": 50, "middle": 1}),
    "repvit": Architecture(repvit, {}, _SMALL),
    "deeplab": Architecture(deeplab, {}, _SEGMENTED),
    "deeplab_257": Architecture(deeplab, {"size": 257}, {**_SEGMENTED, "size": 97}),
    "lraspp": Architecture(lraspp, {}, _SEGMENTED),
    "unet": Architecture(unet, {}, _SEGMENTED),
    "unet_transposed": Architecture(unet_transposed, {}, _SEGMENTED),
    "ssd": Architecture(ssd, {}, {"size": 128, "width": 0.35, "classes": 11}),
    "pyramid": Architecture(pyramid, {}, {"size": 96, "width": 0.35}),
    "super_resolution": Architecture(super_resolution, {}, {"size": 32, "blocks": 2}),
    "siamese": Architecture(siamese, {}, {"size": 64, "width": 0.35}),
    "two_subgraphs": Architecture(two_subgraphs, {}, {"size": 64, "width": 0.35}),
}
"""Those whose adapting is recorded, by name."""

OUT_OF_REACH: dict[str, Architecture] = {
    "densenet": Architecture(
        densenet, {}, {"size": 64, "width": 0.5, "classes": 50, "blocks": (2, 3, 2)}
    ),
    "starnet": Architecture(starnet, {}, _SMALL),
    "yolox": Architecture(yolox, {}, {"size": 128, "width": 0.25, "classes": 5}),
}
"""Those that stay dense: their small sizes show why."""


def build(name: str, *, small: bool = False, **options: Any) -> bytes:
    """The model of an architecture.

    Args:
        name: its name.
        small: whether to build the small size.
        options: what to build it with instead of what is usual, such as `storage`.
    """
    architecture = ARCHITECTURES.get(name) or OUT_OF_REACH[name]
    usual = architecture.small if small else architecture.full
    return architecture.make(**{**usual, **options})
