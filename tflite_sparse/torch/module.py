"""A subgraph of a model as a PyTorch module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn

from tflite_sparse.errors import Place, UsageError, shown_shape

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np

    from tflite_sparse.model import Model
    from tflite_sparse.torch.operators.lowering import Step

__all__ = ["Instruction", "StoredWeight", "TfliteModule"]


class Instruction(NamedTuple):
    """One operator of the module.

    Attributes:
        label: what people call the operator, such as "CONV_2D #4".
        step: what computes it.
        inputs: the numbers of the tensors that it reads, None for an operand that is left out.
        outputs: the numbers of those that it writes.
        finished: the numbers of those that nothing reads after it.
        plain: the step without a fused activation.
    """

    label: str
    step: Step
    inputs: tuple[int | None, ...]
    outputs: tuple[int, ...]
    finished: tuple[int, ...] = ()
    plain: Step | None = None


class StoredWeight(NamedTuple):
    """Where a parameter is in the file.

    Attributes:
        name: name of the parameter in the module's `weights`.
        tensor: number of a tensor of the subgraph that holds it.
        type: how the file stores it, "FLOAT32" or "FLOAT16".
        shape: its shape.
    """

    name: str
    tensor: int
    type: str
    shape: tuple[int, ...]


class TfliteModule(nn.Module):
    """A subgraph of a float model, to be run and trained in PyTorch; made by `from_tflite`.

    It takes and gives what the model does, maps as [batch, height, width, channels]. The batch may
    be larger than that of the file. It runs on any device.

    Attributes:
        weights: the parameters, each in the shape that it has in the file, under the number and the
            name of its tensor.
        stored: where in the file each is.
        inputs: (number of the tensor, shape) of each input.
        outputs: the number of the tensor of each output.
        mixes_batch: the operator that keeps the module from taking other batches than the file's,
            or None.
    """

    def __init__(
        self,
        subgraph: int,
        inputs: Sequence[tuple[int, tuple[int, ...]]],
        outputs: Sequence[int],
        mixes_batch: str | None,
    ) -> None:
        super().__init__()
        self.subgraph = subgraph
        self.inputs = tuple(inputs)
        self.outputs = tuple(outputs)
        self.mixes_batch = mixes_batch
        self.weights = nn.ParameterDict()
        self.stored: tuple[StoredWeight, ...] = ()
        self.instructions: tuple[Instruction, ...] = ()
        self._parameter_of: dict[int, tuple[str, tuple[int, ...]]] = {}
        self._constant_of: dict[int, str] = {}

    def hold(
        self,
        stored: Sequence[StoredWeight],
        values: dict[str, np.ndarray[Any, Any]],
        parameter_of: dict[int, tuple[str, tuple[int, ...]]],
        constants: dict[int, np.ndarray[Any, Any]],
        instructions: Sequence[Instruction],
    ) -> None:
        """Fills the module.

        Args:
            stored: the parameters.
            values: the value of each by its name.
            parameter_of: number of a tensor -> name and shape under which operators read it.
            constants: number of a tensor -> a value that is not trained.
            instructions: the operators in their order.
        """
        self.stored = tuple(stored)
        for name, value in values.items():
            self.weights[name] = nn.Parameter(torch.tensor(value))
        self._parameter_of = parameter_of
        for number, value in constants.items():
            self._constant_of[number] = f"constant_{number}"
            self.register_buffer(f"constant_{number}", torch.tensor(value), persistent=False)
        self.instructions = tuple(instructions)

    def forward(self, *inputs: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Runs the subgraph.

        Args:
            *inputs: the inputs in the order of the file, float32, in its shapes or more of them at
                once.

        Returns:
            The output, or a tuple of them where there are several.

        Raises:
            UsageError: an input has another shape.
        """
        values = self.run(inputs)
        outputs = tuple(values[number] for number in self.outputs)
        return outputs[0] if len(outputs) == 1 else outputs

    def run(self, inputs: Sequence[Tensor], keep: Sequence[int] = ()) -> dict[int, Tensor]:
        """Runs the subgraph, and gives inner values too.

        Args:
            inputs: as for `forward`.
            keep: numbers of tensors.

        Returns:
            Number of a tensor -> its value, for the outputs and for those of `keep`.

        Raises:
            UsageError: an input has another shape.
        """
        self._check(inputs)
        wanted = {*self.outputs, *keep}
        values: dict[int, Tensor] = {
            number: self.weights[name].view(shape)
            for number, (name, shape) in self._parameter_of.items()
        }
        for number, name in self._constant_of.items():
            values[number] = getattr(self, name)
        values.update(zip((number for number, _ in self.inputs), inputs, strict=True))
        for instruction in self.instructions:
            operands = [None if n is None else values[n] for n in instruction.inputs]
            result = instruction.step(*operands)
            results = (result,) if isinstance(result, Tensor) else result
            values.update(zip(instruction.outputs, results, strict=True))
            for number in instruction.finished:
                if number not in wanted:
                    del values[number]
        return {number: values[number] for number in wanted}

    def numbers_of(self, names: Iterable[str]) -> set[int]:
        """The numbers of the tensors under which operators read parameters."""
        wanted = set(names)
        return {n for n, (name, _) in self._parameter_of.items() if name in wanted}

    def parameter_of(self, number: int | None) -> str | None:
        """The name of the parameter that a tensor is, None for any other tensor."""
        return None if number is None else self._parameter_of.get(number, (None,))[0]

    def write_back(self, model: Model) -> int:
        """Puts the weights into a model.

        Only weights that differ from what is stored are touched, in the precision and at the place
        where they are; what shares a constant goes on sharing it.

        Args:
            model: the model that the module was made from, or a copy of it; it is edited.

        Returns:
            How many constants changed.

        Raises:
            UsageError: it is another model.
            RewriteError: a weight is not finite, or too large for half precision.
        """
        from tflite_sparse.torch.writing import write_weights

        values = {
            weight.tensor: self.weights[weight.name].detach().cpu().numpy()
            for weight in self.stored
        }
        return write_weights(model, self.subgraph, self.stored, values)

    def _check(self, inputs: Sequence[Tensor]) -> None:
        if len(inputs) != len(self.inputs):
            raise UsageError(f"takes {len(self.inputs)} inputs, was given {len(inputs)}")
        times = set()
        for index, (x, (_, shape)) in enumerate(zip(inputs, self.inputs, strict=True)):
            fits = len(x.shape) == len(shape) and tuple(x.shape[1:]) == shape[1:]
            if not fits or (shape and (x.shape[0] % shape[0] or not x.shape[0])):
                raise UsageError(
                    f"input {index} takes the shape {shown_shape(shape)}, or several of them as one"
                    f" batch, was given {shown_shape(x.shape)}"
                )
            times.add(x.shape[0] // shape[0] if shape else 1)
        if len(times) > 1:
            raise UsageError("the inputs are batches of different sizes")
        if self.mixes_batch is not None and times != {1}:
            raise UsageError(
                "moves values from sample to sample, so that it takes no larger batches",
                place=Place(operator=self.mixes_batch),
            )
