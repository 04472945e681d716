"""Zeros that hold through a training in Keras 3, on any of its backends."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from tflite_sparse.errors import UsageError
from tflite_sparse.masking.arrays import NumpyArrays
from tflite_sparse.masking.engine import MaskEngine
from tflite_sparse.training.eligible_types import EligibleModel
from tflite_sparse.training.kept_state import read_state, write_state
from tflite_sparse.training.keras_gradients import gradients
from tflite_sparse.training.layers import keras_variables, kernel_order
from tflite_sparse.training.options import MaskOptions
from tflite_sparse.training.progress import MaskReport, report_of
from tflite_sparse.training.shares import shares_of

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

__all__ = ["KerasMasks"]


class KerasMasks(keras.callbacks.Callback):
    """A callback of `fit`: sets weights to zero, and keeps them so while the others are trained.

    It goes on counting where `fit` is called again. Mixed precision and several steps per execution
    need nothing; between the steps of one execution, zeros are not held.

    Args:
        layers: what `eligible` gives, or shares of zeros by the names of layers.
        options: how many zeros, when they come and how they move.
        gradient_data: batches as `fit` takes them, inputs and what is wanted of them, for "rigl":
            each change of the masks takes the gradients of the next one, and begins anew at the
            end.

    Raises:
        UsageError: no layer's zeros count, the zeros would be too few to run sparse, or "rigl" has
            no batches.
        FileError: the recipe cannot be read.
    """

    def __init__(
        self,
        layers: EligibleModel | Mapping[str, float],
        options: MaskOptions | None = None,
        *,
        gradient_data: Iterable[Any] | None = None,
    ) -> None:
        super().__init__()
        self._options = options or MaskOptions()
        if self._options.masks == "rigl" and gradient_data is None:
            raise UsageError(
                "weights grow by their gradients, and there is nothing to take them from",
                hint="gradient_data=[(inputs, wanted)], or another kind of masks",
            )
        self._layers = layers if isinstance(layers, EligibleModel) else None
        self._shares, self._block = shares_of(layers, self._options)
        self._batches = itertools.cycle(gradient_data or ())
        self._steps = 0
        self._in_epoch = 0
        self._engine: MaskEngine | None = None
        self._applied: dict[str, Any] = {}
        self._loaded: dict[str, Any] | None = None

    @property
    def zeros(self) -> float:
        """The share of zeros in the layers that are pruned."""
        return self._masks.zeros

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002 - what Keras hands over
        """Makes the zeros of the beginning."""
        if self._engine is None:
            schedule = self._options.schedule()
            self._engine = MaskEngine(
                self._weights(), self._shares, schedule, self._block, NumpyArrays()
            )
            if self._loaded is not None:
                self._restore(self._engine, self._loaded)
        self._changed()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002 - the same
        """Counts batches anew."""
        self._in_epoch = 0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002 - the same
        """Sets to zero what the optimizer has changed; changes the masks when it is time."""
        masks = self._masks
        before = self._steps
        self._steps += batch + 1 - self._in_epoch
        self._in_epoch = batch + 1
        due = [step for step in range(before + 1, self._steps + 1) if masks.is_due(step)]
        if not due:
            self._apply()
            return
        step = due[-1]
        slopes = self._gradients() if self._options.schedule().moved(step) else {}
        masks.update(step, self._weights(), slopes)
        self._changed()

    def report(self) -> MaskReport:
        """The zeros now, and what `optimize` would make of them on each target."""
        masks = {name: _as_kernel(kept) for name, kept in self._masks.kept.items()}
        return report_of(self._steps, self._masks.counts, self._layers, masks)

    def strip(self) -> Any:
        """Ends the masks, and gives the model with its zeros. It holds nothing of this one."""
        self._apply()
        self._engine, self._applied = None, {}
        return self.model

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the state of the masks, for a training that goes on later.

        Raises:
            FileError: it cannot be written.
        """
        write_state(path, self._training, self._steps, self._masks.state())

    def load(self, path: str | os.PathLike[str]) -> None:
        """Takes up a state, before `fit`.

        Raises:
            FileError: it cannot be read, or holds no state of masks.
            UsageError: the state is that of another training.
        """
        self._steps, self._loaded = read_state(path, self._training)
        if self._engine is not None:
            self._restore(self._engine, self._loaded)
            self._changed()

    @staticmethod
    def _restore(masks: MaskEngine, state: dict[str, Any]) -> None:
        """Takes up a state that was read.

        Raises:
            UsageError: its kernels have other shapes.
        """
        for name, kept in state["kept"].items():
            if kept.shape != masks.kept[name].shape:
                raise UsageError(
                    f"the state belongs to another training: {name} has another shape",
                    hint="make the masks with the same layers and options",
                )
        masks.restore(state)

    @property
    def _training(self) -> dict[str, Any]:
        """What tells one training from another."""
        options = self._options.to_dict()
        return {"options": options, "block": self._block, "shares": self._shares}

    @property
    def _masks(self) -> MaskEngine:
        if self._engine is None:
            raise UsageError("there are no masks before fit and after strip")
        return self._engine

    def _variables(self) -> dict[str, Any]:
        """The kernels by the names of their layers."""
        there = {name: variable for name, _, variable in keras_variables(self.model)}
        missing = next((name for name in self._shares if name not in there), None)
        if missing is not None:
            raise UsageError(
                f"the model has no layer {missing!r} with a kernel",
                hint=f"names are the paths of variables, such as {next(iter(there), 'conv')!r}",
            )
        return {name: there[name] for name in self._shares}

    def _weights(self) -> dict[str, NDArray[Any]]:
        """The kernels, output channels first."""
        return {
            name: np.asarray(ops.convert_to_numpy(variable.value)).transpose(
                kernel_order(len(variable.shape))
            )
            for name, variable in self._variables().items()
        }

    def _gradients(self) -> dict[str, NDArray[Any]]:
        variables = self._variables()
        try:
            batch = next(self._batches)
        except StopIteration:
            raise UsageError("gradient_data has no batch") from None
        arrays = gradients(self.model, batch, [*variables.values()])
        return {
            name: value.transpose(kernel_order(value.ndim))
            for name, value in zip(variables, arrays, strict=True)
        }

    def _changed(self) -> None:
        """Makes the masks ready to be multiplied by, and applies them."""
        variables = self._variables()
        self._applied = {
            name: ops.convert_to_tensor(_as_kernel(kept), dtype=variables[name].dtype)
            for name, kept in self._masks.kept.items()
        }
        self._apply()

    def _apply(self) -> None:
        variables = self._variables()
        for name, mask in self._applied.items():
            variables[name].assign(ops.multiply(variables[name].value, mask))


def _as_kernel(kept: NDArray[Any]) -> NDArray[Any]:
    """A mask in the shape of the kernel."""
    return kept.transpose(np.argsort(kernel_order(kept.ndim)))
