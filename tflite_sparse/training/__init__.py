"""For training code of PyTorch or Keras 3: which layers' zeros will count, and masks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tflite_sparse.optional import public_name

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


def __getattr__(name: str) -> Any:
    return public_name(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return sorted(__all__)
