"""Models as PyTorch modules, to be trained on and put back into their files (extra `train`)."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tflite_sparse.errors import RuntimeUnavailableError

if TYPE_CHECKING:
    from tflite_sparse.torch.build import from_tflite
    from tflite_sparse.torch.module import TfliteModule
    from tflite_sparse.torch.training.distill import distill
    from tflite_sparse.torch.training.options import Distilled, DistillOptions

__all__ = ["DistillOptions", "Distilled", "TfliteModule", "distill", "from_tflite"]

_HOMES = {
    "DistillOptions": "training.options",
    "Distilled": "training.options",
    "TfliteModule": "module",
    "distill": "training.distill",
    "from_tflite": "build",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        home = import_module(f"{__name__}.{_HOMES[name]}")
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise RuntimeUnavailableError(
            "PyTorch is not installed", hint="run: pip install 'tflite-sparse[train]'"
        ) from None
    return getattr(home, name)


def __dir__() -> list[str]:
    return sorted(__all__)
