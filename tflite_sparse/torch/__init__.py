"""Models as PyTorch modules, to be trained on and put back into their files (extra `train`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tflite_sparse.optional import public_name

if TYPE_CHECKING:
    from tflite_sparse.torch.build import from_tflite
    from tflite_sparse.torch.module import TfliteModule
    from tflite_sparse.torch.training.distill import distill
    from tflite_sparse.torch.training.division import divide
    from tflite_sparse.torch.training.options import Distilled, DistillOptions

__all__ = ["DistillOptions", "Distilled", "TfliteModule", "distill", "divide", "from_tflite"]

_HOMES = {
    "DistillOptions": "training.options",
    "Distilled": "training.options",
    "TfliteModule": "module",
    "distill": "training.distill",
    "divide": "training.division",
    "from_tflite": "build",
}


def __getattr__(name: str) -> Any:
    return public_name(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return sorted(__all__)
