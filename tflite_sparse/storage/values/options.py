"""The numbers in which weights may be stored."""

from __future__ import annotations

import math
from enum import Enum

from tflite_sparse.errors import UsageError
from tflite_sparse.records import Record

__all__ = ["StoredValues", "ValuesOptions"]


class StoredValues(str, Enum):
    """Numbers in which a weight is stored, whatever it computes in."""

    FP32 = "fp32"
    FP16 = "fp16"
    INT8 = "int8"

    def __str__(self) -> str:
        return self.value

    @property
    def tensor_type(self) -> str:
        """The element type by the schema's name."""
        return _TYPES[self]

    @classmethod
    def of(cls, tensor_type: str) -> StoredValues | None:
        """The numbers of an element type; None for one that is none of them."""
        return next((kind for kind, name in _TYPES.items() if name == tensor_type), None)


_TYPES = {
    StoredValues.FP32: "FLOAT32",
    StoredValues.FP16: "FLOAT16",
    StoredValues.INT8: "INT8",
}


class ValuesOptions(Record, frozen=True):
    """In which numbers to store weights. All but fp32 lose information.

    Attributes:
        values: fp32 leaves all as they are; fp16 and int8 are taken where the file gets smaller.
        keep_nonzero: whether a value that would become zero becomes the smallest number that is
            not, so that a weight has as many zeros as before. That is less accurate where a few
            values are much larger than most.
        min_snr: a weight whose ratio of power to rounding error, in dB, is below this keeps its
            numbers; 0 for none.
    """

    values: StoredValues = StoredValues.INT8
    keep_nonzero: bool = False
    min_snr: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.min_snr) and self.min_snr >= 0):
            raise UsageError(f"{self.min_snr} is no ratio in dB", hint="0 asks for none")
