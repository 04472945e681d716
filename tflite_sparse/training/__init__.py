"""For training code of PyTorch or Keras 3: which layers' zeros will count, and masks for them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tflite_sparse.errors import RuntimeUnavailableError

if TYPE_CHECKING:
    from tflite_sparse.training.eligibility import eligible
    from tflite_sparse.training.eligible_types import Eligibility, EligibleLayer, EligibleModel
    from tflite_sparse.training.keras_masks import KerasMasks
    from tflite_sparse.training.options import MaskOptions
    from tflite_sparse.training.progress import MaskReport
    from tflite_sparse.training.torch_masks import Masks

__all__ = [
    "Eligibility",
    "EligibleLayer",
    "EligibleModel",
    "KerasMasks",
    "MaskOptions",
    "MaskReport",
    "Masks",
    "eligible",
]

_HOMES = {
    "Eligibility": "eligible_types",
    "EligibleLayer": "eligible_types",
    "EligibleModel": "eligible_types",
    "KerasMasks": "keras_masks",
    "MaskOptions": "options",
    "MaskReport": "progress",
    "Masks": "torch_masks",
    "eligible": "eligibility",
}
_FRAMEWORKS = {
    "torch": ("PyTorch is not installed", "pip install 'tflite-sparse[train]'"),
    "keras": ("Keras 3 is not installed", "pip install keras, and one of its backends"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        home = import_module(f"{__name__}.{_HOMES[name]}")
    except ModuleNotFoundError as error:
        if error.name not in _FRAMEWORKS:
            raise
        message, hint = _FRAMEWORKS[error.name]
        raise RuntimeUnavailableError(message, hint=f"run: {hint}") from None
    return getattr(home, name)


def __dir__() -> list[str]:
    return sorted(__all__)
