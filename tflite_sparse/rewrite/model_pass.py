"""Passes over a whole model: what each of them needs and promises stands here."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace

from tflite_sparse.errors import RewriteError
from tflite_sparse.flatbuffer.payload import Deferred
from tflite_sparse.model.sparse import encoding_of, stored_bytes
from tflite_sparse.model.tensor_numbers import drop_stale_plan
from tflite_sparse.rewrite.changes import Rewrite, RewriteKind
from tflite_sparse.rewrite.passes import Pass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.model import Model, Tensor

__all__ = ["ModelPass"]


class ModelPass(Pass["Model", Rewrite]):
    """A pass over a model.

    It needs a model that can be written without loss, with sparse encodings that are sound. It
    promises that the runtime does no worse with the result, and that every weight keeps its values:
    the first is checked here, against `Rewrite.baseline`; the second when the result is written,
    against `Rewrite.expected`, as only then the values are computed (see `writing.proof`).

    Attributes:
        in_place: whether the model that it is given is edited; otherwise that stays as it is, and
            the result has a model of its own where anything was changed.
    """

    name: ClassVar[RewriteKind]
    in_place: ClassVar[bool] = True

    def run(self, subject: Model) -> Rewrite:
        """Runs the pass; what edits of the graph have made stale in the metadata is dropped."""
        result = super().run(subject)
        note = drop_stale_plan(result.model)
        return result if note is None else replace(result, notes=(*result.notes, note))

    def requires(self, subject: Model) -> None:
        """Refuses what no pass can work on.

        Raises:
            RewriteError: the model cannot be written without loss.
            EncodingError: a sparse encoding is malformed.
            ModelError: the values of a sparse tensor cannot be read.
        """
        if subject.read_only is not None:
            raise RewriteError(subject.read_only, hint="upgrade tflite-sparse")
        for tensor in _sparse_constants(subject):
            encoding_of(tensor)
            subject.passed(stored_bytes(tensor))

    def ensures(self, subject: Model, result: Rewrite) -> None:
        """Holds the result against what the runtime did with the model before.

        Raises:
            RewriteError: it would do worse now.
        """
        del subject
        baseline = result.baseline
        if baseline is None:
            return
        # Only here, as a pass that needs no model of the runtime starts faster without it.
        from tflite_sparse.storage.safety import forecasts, worse

        if worse(baseline.forecasts, forecasts(result.model, baseline.zeros)):
            raise RewriteError("the runtime would do worse with the result; this is a bug")


def _sparse_constants(model: Model) -> Iterator[Tensor]:
    """What is stored sparse in the file; encodings that are computed later were made by a pass."""
    for subgraph in model.subgraphs:
        for tensor in subgraph.tensors:
            if tensor.sparsity is None or not tensor.is_constant:
                continue
            if not isinstance(tensor.buffer.table["data"], Deferred):
                yield tensor
