"""The gradients of a Keras model's loss, on any backend, without a change to the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from tflite_sparse.errors import RuntimeUnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["gradients"]


def gradients(model: Any, batch: Sequence[Any], variables: Sequence[Any]) -> list[NDArray[Any]]:
    """The gradients of the loss with respect to some trainable variables.

    Args:
        model: a compiled model.
        batch: inputs, what is wanted of them, and weights of the samples where there are any.
        variables: the variables.

    Raises:
        RuntimeUnavailableError: Keras runs on a backend without gradients.
    """
    inputs, wanted, *rest = batch
    weights = rest[0] if rest else None
    places = [next(i for i, t in enumerate(model.trainable_variables) if t is v) for v in variables]
    others = [ops.copy(variable.value) for variable in model.non_trainable_variables]

    def loss(values: Sequence[Any]) -> Any:
        outputs, _ = model.stateless_call(values, others, inputs, training=True)
        return model.compute_loss(
            x=inputs, y=wanted, y_pred=outputs, sample_weight=weights, training=True
        )

    values = [variable.value for variable in model.trainable_variables]
    backend = keras.backend.backend()
    if backend not in _BACKENDS:
        raise RuntimeUnavailableError(
            f"Keras on {backend} has no gradients", hint="train on tensorflow, jax or torch"
        )
    results = _BACKENDS[backend](loss, values)
    return [np.asarray(ops.convert_to_numpy(results[place])) for place in places]


def _tensorflow(loss: Any, values: Sequence[Any]) -> Sequence[Any]:
    import tensorflow as tf

    values = [tf.convert_to_tensor(value) for value in values]
    with tf.GradientTape() as tape:
        tape.watch(values)
        result = loss(values)
    zero = tf.UnconnectedGradients.ZERO
    return list(tape.gradient(result, values, unconnected_gradients=zero))


def _jax(loss: Any, values: Sequence[Any]) -> Sequence[Any]:
    import jax

    return list(jax.grad(loss)(list(values)))


def _torch(loss: Any, values: Sequence[Any]) -> Sequence[Any]:
    import torch

    values = [value.detach().requires_grad_() for value in values]
    return torch.autograd.grad(loss(values), values, allow_unused=True, materialize_grads=True)


_BACKENDS = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
