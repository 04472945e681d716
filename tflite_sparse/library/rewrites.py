"""The rewrites, whose options may be given by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from tflite_sparse.errors import UsageError
from tflite_sparse.library.models import opened
from tflite_sparse.rewrite.adapt import planner
from tflite_sparse.rewrite.adapt.options import AdaptOptions
from tflite_sparse.rewrite.optimize import optimize as _optimize
from tflite_sparse.rewrite.storage.densify import densify as _densify
from tflite_sparse.rewrite.storage.sparsify import sparsify as _sparsify
from tflite_sparse.storage.options import DensifyOptions, SparsifyOptions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tflite_sparse.library.models import ModelLike
    from tflite_sparse.rewrite.changes import Rewrite
    from tflite_sparse.storage.values.options import ValuesOptions

__all__ = ["adapt", "densify", "optimize", "sparsify", "with_fields"]

_Options = TypeVar("_Options", bound=msgspec.Struct)


def sparsify(
    model: ModelLike,
    options: SparsifyOptions | None = None,
    *,
    input_shapes: Mapping[str, Sequence[int]] | None = None,
    batch: int | None = None,
    **fields: Any,
) -> Rewrite:
    """Stores weights sparse where that is smaller and the runtime stays right.

    Args:
        model: the model, which is edited in place, or what `read` makes one of.
        options: which weights, and how; by default all.
        input_shapes: the shapes of inputs that leave sizes open, by name; see `inspect`.
        batch: the first dimension where the file leaves it open.
        fields: fields of `SparsifyOptions`, such as `min_sparsity=0.5`.

    Returns:
        What was done; `write` writes it.

    Raises:
        UsageError: there is no such field.
        ModelError: the model is damaged.
    """
    chosen = with_fields(options or SparsifyOptions(), fields)
    return _sparsify(opened(model), chosen, input_shapes=input_shapes, batch=batch)


def densify(model: ModelLike, options: DensifyOptions | None = None, **fields: Any) -> Rewrite:
    """Stores every sparse weight dense.

    Args:
        model: the model, which is edited in place, or what `read` makes one of.
        options: which weights, and how; by default all.
        fields: fields of `DensifyOptions`.

    Raises:
        UsageError: there is no such field.
        ModelError: the model is damaged.
    """
    return _densify(opened(model), with_fields(options or DensifyOptions(), fields))


def adapt(
    model: ModelLike,
    options: AdaptOptions | None = None,
    *,
    input_shapes: Mapping[str, Sequence[int]] | None = None,
    batch: int | None = None,
    **fields: Any,
) -> Rewrite:
    """Makes a CNN eligible for sparse inference, without a change to what it computes.

    Args:
        model: the model, which stays as it is, or what `read` makes one of.
        options: how; by default with all passes.
        input_shapes: the shapes of inputs that leave sizes open, by name; see `inspect`.
        batch: the first dimension where the file leaves it open.
        fields: fields of `AdaptOptions`, such as `targets=("arm64",)`.

    Raises:
        UsageError: there is no such field.
        ModelError: the model is damaged.
    """
    chosen = with_fields(options or AdaptOptions(), fields)
    return planner.adapt(opened(model), chosen, input_shapes=input_shapes, batch=batch)


def optimize(
    model: ModelLike,
    options: AdaptOptions | None = None,
    storage: SparsifyOptions | None = None,
    values: ValuesOptions | None = None,
    *,
    input_shapes: Mapping[str, Sequence[int]] | None = None,
    batch: int | None = None,
    **fields: Any,
) -> Rewrite:
    """Adapts a model where that pays, and stores its weights sparse where that is smaller.

    Args:
        model: the model, which stays as it is, or what `read` makes one of.
        options: how it is adapted.
        storage: which weights are stored sparse, and how.
        values: in which numbers; None for those that they have.
        input_shapes: the shapes of inputs that leave sizes open, by name; see `inspect`.
        batch: the first dimension where the file leaves it open.
        fields: fields of `AdaptOptions` and `SparsifyOptions`, such as `min_sparsity=0.5`; further
            arguments of the function below, such as `calibration`.

    Raises:
        UsageError: there is no such field.
        ModelError: the model is damaged.
    """
    more = {"calibration": fields.pop("calibration")} if "calibration" in fields else {}
    of_adapt = {k: v for k, v in fields.items() if k in AdaptOptions.__struct_fields__}
    of_storage = {k: v for k, v in fields.items() if k not in of_adapt}
    return _optimize(
        opened(model),
        with_fields(options or AdaptOptions(), of_adapt),
        with_fields(storage or SparsifyOptions(), of_storage) if of_storage else storage,
        values,
        input_shapes=input_shapes,
        batch=batch,
        **more,
    )


def with_fields(options: _Options, fields: dict[str, Any]) -> _Options:
    """Options with some fields changed; a mistyped one is an error that names all."""
    unknown = [name for name in fields if name not in options.__struct_fields__]
    if unknown:
        raise UsageError(
            f"{type(options).__name__} has no field {unknown[0]!r}",
            hint=f"it has {', '.join(options.__struct_fields__)}",
        )
    return msgspec.structs.replace(options, **fields)
