"""The rule of every operator that has one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.torch.operators.elementwise import ELEMENTWISE
from tflite_sparse.torch.operators.moving import MOVING
from tflite_sparse.torch.operators.resizing import RESIZING
from tflite_sparse.torch.operators.windows import WINDOWS

if TYPE_CHECKING:
    from tflite_sparse.torch.operators.lowering import Rule

__all__ = ["RULES"]

RULES: dict[str, Rule] = {**WINDOWS, **ELEMENTWISE, **MOVING, **RESIZING}
