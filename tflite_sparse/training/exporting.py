"""A model of PyTorch or Keras as a `.tflite` file, with values by which layers are known."""

from __future__ import annotations

import contextlib
import copy
import math
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.errors import RuntimeUnavailableError, UsageError
from tflite_sparse.training.layers import is_keras, layers_of, unwrapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tflite_sparse.training.layers import LayerWeight

__all__ = ["exported"]

_MATRIX = 2
_BY_HAND = "or hand over the file that you have converted: eligible(model, tflite='model.tflite')"


def exported(model: Any, example: Sequence[Any]) -> tuple[bytes, list[LayerWeight]]:
    """Converts a model, with weights drawn at random.

    No two layers have the same values then, none is zero, and whatever an untrained model begins
    with does not matter.

    Args:
        model: a module of PyTorch, which stays as it is, or a model of Keras, whose weights are put
            back.
        example: its inputs.

    Returns:
        The file, and the layers with the values that they have in it.

    Raises:
        RuntimeUnavailableError: there is no converter.
        UsageError: the converter refuses the model, or the model cannot be copied.
    """
    if is_keras(model):
        with _drawn_keras(model):
            layers = layers_of(model)
            return _keras(model, example), layers
    module = _drawn_torch(unwrapped(model))
    layers = layers_of(module)
    return _torch(module, example), layers


def _torch(module: Any, example: Sequence[Any]) -> bytes:
    import torch

    try:
        import litert_torch
    except ModuleNotFoundError as error:
        if error.name != "litert_torch":
            raise
        raise RuntimeUnavailableError(
            "litert-torch, which converts models of PyTorch, is not installed",
            hint=f"run: pip install litert-torch, {_BY_HAND}",
        ) from None
    inputs = tuple(torch.as_tensor(value).detach().cpu() for value in example)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.tflite")
        with _quiet():
            try:
                litert_torch.convert(module, inputs).export(os.fspath(path))
            except Exception as error:
                raise _refused("litert-torch", error) from error
        return path.read_bytes()


def _drawn_torch(module: Any) -> Any:
    """A copy on the processor with values drawn at random, as it is when it is not trained."""
    import torch

    try:
        module = copy.deepcopy(module).cpu().eval()
    except RuntimeError as error:
        raise UsageError(f"the module cannot be copied: {_line(error)}", hint=_BY_HAND) from error
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if not parameter.is_floating_point():
                continue
            drawn = torch.randn(parameter.shape, generator=generator).to(parameter.dtype)
            if parameter.ndim >= _MATRIX:
                parameter.copy_(drawn / math.sqrt(max(parameter[0].numel(), 1)))
            elif name.rpartition(".")[2] != "bias":
                parameter.copy_(1 + drawn.abs())
    return module


def _keras(model: Any, example: Sequence[Any]) -> bytes:
    import keras

    backend = keras.backend.backend()
    if backend == "torch":
        return _torch(model.eval(), example)
    if backend != "tensorflow":
        raise RuntimeUnavailableError(
            f"no converter takes a model of Keras on {backend}",
            hint="convert it on TensorFlow's backend (KERAS_BACKEND=tensorflow), " + _BY_HAND,
        )
    import tensorflow as tf

    specs = [tf.TensorSpec(np.shape(v), tf.as_dtype(np.asarray(v).dtype)) for v in example]
    with _quiet():
        try:
            called = tf.function(lambda *inputs: model([*inputs] if inputs[1:] else inputs[0]))
            function = called.get_concrete_function(*specs)
            converter = tf.lite.TFLiteConverter.from_concrete_functions([function])
            return bytes(converter.convert())
        except Exception as error:
            raise _refused("TensorFlow's converter", error) from error


@contextlib.contextmanager
def _drawn_keras(model: Any) -> Iterator[None]:
    """Values drawn at random, and after it those that were there."""
    from keras import ops

    before = [np.array(ops.convert_to_numpy(variable.value)) for variable in model.weights]
    rng = np.random.default_rng(0)
    try:
        for variable, values in zip(model.weights, before, strict=True):
            drawn = rng.standard_normal(values.shape)
            if values.dtype.kind != "f":
                continue
            if values.ndim >= _MATRIX:
                variable.assign(drawn / math.sqrt(max(math.prod(values.shape[:-1]), 1)))
            elif variable.path.rpartition("/")[2] in {"gamma", "moving_variance"}:
                variable.assign(1 + np.abs(drawn))
        yield
    finally:
        for variable, values in zip(model.weights, before, strict=True):
            variable.assign(values)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """What converters print on the way goes nowhere."""
    with (
        Path(os.devnull).open("w") as nothing,
        contextlib.redirect_stdout(nothing),
        contextlib.redirect_stderr(nothing),
    ):
        yield


def _refused(converter: str, error: Exception) -> UsageError:
    return UsageError(f"{converter} does not convert the model: {_line(error)}", hint=_BY_HAND)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
