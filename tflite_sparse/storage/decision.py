"""The decision about a weight: what is known of it, and how to store it or why to leave it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from tflite_sparse.encoding import EncodingChoice
from tflite_sparse.model.weights import Weight
from tflite_sparse.storage.refusals import Refusal
from tflite_sparse.storage.weight_id import WeightId

__all__ = ["Candidate", "Decision", "Encoded"]


class Encoded(msgspec.Struct, frozen=True):
    """The best encoding of a weight, whether or not it is taken.

    Attributes:
        layout: it in short, such as "CSR on dimension 3".
        bytes: bytes of values, segments and indices; for a weight that is stored dense now also the
            tables that come with sparse storage.
    """

    layout: str
    bytes: int


class Candidate(msgspec.Struct, frozen=True, eq=False):
    """How to store a weight that is smaller when it is stored sparse.

    Attributes:
        storage: the layout, and what it costs.
        direct: whether its readers read it without DENSIFY.
        source: gives the dense weight.
        dtype: type of its values.
        zeroed: values that are set to zero, see `SparsifyOptions.zero_below`.
        bytes_after: bytes that it will take, with all that describes it.
    """

    storage: EncodingChoice
    direct: bool
    source: Callable[[], NDArray[Any]]
    dtype: np.dtype[Any]
    zeroed: int
    bytes_after: int


class Decision(msgspec.Struct, eq=False):
    """What is known of a weight, and what is to become of it.

    Every step of `Sparsify` looks at the decisions, and may refuse a weight that the steps before
    would have stored sparse.

    Attributes:
        weight: the weight.
        id: what people call it, by the operators of the model as it was read.
        elements: number of its values.
        zeros: how many are zero, those included that are set to it; None where nobody counted.
        stored: how it is stored now.
        bytes: bytes that it takes now.
        outcome: how to store it, or why it is left as it is.
        encoded: its best encoding; None where nobody looked for one.
    """

    weight: Weight
    id: WeightId
    elements: int
    zeros: int | None
    stored: str
    bytes: int
    outcome: Candidate | Refusal
    encoded: Encoded | None = None

    @property
    def candidate(self) -> Candidate | None:
        """How to store it; None where it is left as it is."""
        return self.outcome if isinstance(self.outcome, Candidate) else None

    @property
    def is_dense(self) -> bool:
        """Whether the model holds it dense."""
        return self.weight.tensor.sparsity is None

    def refuse(self, refusal: Refusal) -> None:
        """Leaves the weight as it is."""
        self.outcome = refusal
