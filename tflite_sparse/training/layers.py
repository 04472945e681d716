"""The weights of a model of PyTorch or Keras, by the names that these give them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from tflite_sparse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "LayerWeight",
    "is_keras",
    "is_torch",
    "keras_variables",
    "kernel_order",
    "layers_of",
    "unwrapped",
]

_MATRIX = 2

# How the dimensions of a weight become those of the file, by their number: those of an ordinary
# layer first, then of a transposed convolution, then of a depthwise one.
_TORCH = {
    2: ((0, 1),),
    3: ((0, 2, 1), (1, 2, 0)),
    4: ((0, 2, 3, 1), (1, 2, 3, 0)),
}
_KERAS = {
    2: ((1, 0),),
    3: ((2, 0, 1), (1, 0, 2), (0, 1, 2)),
    4: ((3, 0, 1, 2), (2, 0, 1, 3), (0, 1, 2, 3)),
}
_WRAPPERS = {
    "DataParallel": "module",
    "DistributedDataParallel": "module",
    "OptimizedModule": "_orig_mod",  # of torch.compile
}


class LayerWeight(msgspec.Struct, frozen=True, eq=False):
    """A weight of a layer.

    Attributes:
        name: what the framework calls the layer.
        kind: its class, such as "Conv2d".
        values: the weight as the framework has it.
        orders: the orders of its dimensions that it may have in the file.
    """

    name: str
    kind: str
    values: NDArray[Any]
    orders: tuple[tuple[int, ...], ...]


def is_torch(model: Any) -> bool:
    """Whether a model is a module of PyTorch, and none of Keras."""
    return not is_keras(model) and _is_a(model, "torch.nn.modules.module", "Module")


def is_keras(model: Any) -> bool:
    """Whether it is a model of Keras 3."""
    return _is_a(model, "keras.src.models.model", "Model")


def _is_a(model: Any, module: str, name: str) -> bool:
    return any((base.__module__, base.__name__) == (module, name) for base in type(model).__mro__)


def unwrapped(model: Any) -> Any:
    """The module itself, where DistributedDataParallel or torch.compile stand around it."""
    while type(model).__name__ in _WRAPPERS:
        model = getattr(model, _WRAPPERS[type(model).__name__])
    return model


def layers_of(model: Any) -> list[LayerWeight]:
    """The weights with two dimensions or more, in the framework's order.

    Raises:
        UsageError: it is neither a module of PyTorch nor a model of Keras 3.
    """
    if is_keras(model):
        return [
            LayerWeight(name, kind, _array(variable), _KERAS.get(len(variable.shape), ()))
            for name, kind, variable in keras_variables(model)
        ]
    if is_torch(model):
        return [*_torch_layers(unwrapped(model))]
    raise UsageError(
        f"a {type(model).__name__} is neither a module of PyTorch nor a model of Keras 3",
        hint="hand over the model itself",
    )


def keras_variables(model: Any) -> list[tuple[str, str, Any]]:
    """The weights of a Keras model as (layer, class, variable)."""
    return [
        (variable.path.rpartition("/")[0] or variable.path, _class_of(model, variable), variable)
        for variable in model.weights
        if len(variable.shape) >= _MATRIX
    ]


def kernel_order(rank: int) -> tuple[int, ...]:
    """The order in which the dimensions of a layer's kernel in Keras begin with output channels."""
    return _KERAS[rank][0]


def _class_of(model: Any, variable: Any) -> str:
    for layer in model._flatten_layers():  # noqa: SLF001 - nothing public goes into nested layers
        if any(own is variable for own in layer._trainable_variables):  # noqa: SLF001
            return type(layer).__name__
    return type(model).__name__


def _array(variable: Any) -> NDArray[Any]:
    from keras import ops

    return np.asarray(ops.convert_to_numpy(variable.value))


def _torch_layers(module: Any) -> Iterator[LayerWeight]:
    for name, parameter in module.named_parameters():
        if parameter.ndim < _MATRIX:
            continue
        owner, _, last = name.rpartition(".")
        layer = owner if last == "weight" and owner else name
        kind = type(module.get_submodule(owner)).__name__
        values = parameter.detach().float().cpu().numpy()
        yield LayerWeight(layer, kind, values, _TORCH.get(parameter.ndim, ()))
