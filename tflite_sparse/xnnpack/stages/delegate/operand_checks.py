"""The checks that the delegate makes of an operator's operands before it takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import msgspec
import numpy as np

from tflite_sparse.model import Operator
from tflite_sparse.xnnpack.explain.wording import reason
from tflite_sparse.xnnpack.releases.runtimes import Runtime
from tflite_sparse.xnnpack.stages.delegate.variables import Variables

if TYPE_CHECKING:
    from collections.abc import Collection

    from tflite_sparse.model import Tensor
    from tflite_sparse.xnnpack.plan_types import Reason

__all__ = [
    "FLOAT",
    "FLOAT_OR_Q8",
    "MAX_RANK",
    "OperandChecks",
    "Refused",
    "UnpackedConstants",
    "is_constant",
]

FLOAT = frozenset({"FLOAT32", "FLOAT16"})
_Q8 = frozenset({"INT8", "UINT8"})
FLOAT_OR_Q8 = FLOAT | _Q8
MAX_RANK = 6
_FUSED = ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")


def is_constant(tensor: Tensor) -> bool:
    """Whether the runtime takes a tensor for a constant.

    A sparse weight without any value other than zero has an empty buffer and is one all the same.
    """
    empty = tensor.sparsity is not None and tensor.buffer.table["data"] is not None
    return tensor.is_constant or (empty and tensor.buffer.index > 0)


class Refused(Exception):  # noqa: N818 - control flow within the delegate stage, never an error
    """The delegate does not take the operator."""

    def __init__(self, why: Reason) -> None:
        super().__init__(why.message)
        self.why = why


class UnpackedConstants(msgspec.Struct, eq=False):
    """What the delegate knows about constants that it unpacks at load time; tensors by index.

    Attributes:
        unpacked: outputs of DENSIFY and DEQUANTIZE operators that are unpacked.
        halves: outputs of DEQUANTIZE operators that are skipped: readers get the fp16 constant.
        sparse: unpacked tensors that were stored sparse.
        encoded: constants that are assumed to be stored sparse.
    """

    unpacked: set[int] = msgspec.field(default_factory=set)
    halves: set[int] = msgspec.field(default_factory=set)
    sparse: set[int] = msgspec.field(default_factory=set)
    encoded: frozenset[int] = frozenset()

    def is_unpacked(self, tensor: Tensor) -> bool:
        """Whether a tensor is a constant that has to be unpacked."""
        return tensor.index in self.unpacked or tensor.index in self.encoded


class OperandChecks(msgspec.Struct, frozen=True):
    """One operator under examination; each check raises `Refused`.

    Attributes:
        op: the operator.
        static: what is known about unpacked constants.
        variables: what is known about resource variables.
        runtime: the release of the runtime.
    """

    op: Operator
    static: UnpackedConstants
    variables: Variables
    runtime: Runtime

    def refuse(
        self, code: str, operand: str, found: object, wanted: object, sentence: str
    ) -> NoReturn:
        """Does not take the operator."""
        raise Refused(reason(code, self.op, sentence, operand=operand, found=found, wanted=wanted))

    def operands(self, least: int, most: int | None = None, outputs: int = 1) -> None:
        """The operator has so many inputs and outputs."""
        most = least if most is None else most
        count = len(self.op.inputs)
        if not least <= count <= most:
            wanted = str(least) if least == most else f"{least} to {most}"
            self.refuse(
                "delegate-operands",
                "inputs",
                count,
                wanted,
                f"has {count} inputs; XNNPACK takes {wanted}",
            )
        if len(self.op.outputs) != outputs:
            self.refuse(
                "delegate-operands",
                "outputs",
                len(self.op.outputs),
                outputs,
                f"has {len(self.op.outputs)} outputs; XNNPACK takes {outputs}",
            )

    def input(self, index: int, name: str = "input") -> Tensor:
        """The tensor of an input that must be there."""
        tensor = self.op.inputs[index] if index < len(self.op.inputs) else None
        if tensor is None:
            code = "delegate-bias" if name == "bias" else "delegate-operands"
            self.refuse(code, name, "absent", "present", f"has no {name}")
        return tensor

    def output(self, index: int = 0) -> Tensor:
        """The tensor of an output."""
        if index >= len(self.op.outputs):
            self.refuse(
                "delegate-operands",
                "outputs",
                len(self.op.outputs),
                index + 1,
                "has too few outputs",
            )
        return self.op.outputs[index]

    def type(self, tensor: Tensor, name: str, allowed: Collection[str] = FLOAT_OR_Q8) -> None:
        """The tensor has one of the types, and 8-bit integers have one scale for all of it."""
        allowed = self._taken(allowed)
        if tensor.type not in allowed:
            self.refuse(
                "delegate-type",
                name,
                tensor.type,
                " or ".join(sorted(allowed)),
                f"has {name} of type {tensor.type}, which XNNPACK does not take here",
            )
        if tensor.type in _Q8:
            self._one_scale(tensor, name)

    def _taken(self, kinds: Collection[str]) -> frozenset[str]:
        """Those of some types that the release takes at all."""
        return frozenset(kinds) - (frozenset() if self.runtime.takes_int8 else {"INT8"})

    def variable(self, handle: Tensor, value: Tensor) -> None:
        """The handle is one of the subgraph, and its variable has the type and shape of a value."""
        mismatch = self.variables.mismatch(handle, value)
        if mismatch is not None:
            self.refuse("delegate-variable", *mismatch)

    def same_type(self, *tensors: Tensor) -> None:
        """All tensors have the same type."""
        kinds = [tensor.type for tensor in tensors]
        if len(set(kinds)) > 1:
            self.mixed(" and ".join(dict.fromkeys(kinds)))

    def mixed(self, found: str) -> NoReturn:
        """Does not take the operator because of types that do not go together."""
        self.refuse("delegate-mixed-types", "inputs", found, "one type", f"mixes {found}")

    def filter(self, tensor: Tensor, axis: int, *, packed: bool = False) -> None:
        """The tensor may be a filter, quantized along `axis` if channel by channel.

        Args:
            tensor: the filter.
            axis: dimension of the output channels.
            packed: whether INT4 and INT2 are taken too.
        """
        packings = {"INT4", "INT2"} if packed else set()
        kinds = self._taken(FLOAT_OR_Q8 | packings)
        if tensor.type not in kinds:
            self.refuse(
                "delegate-type",
                "filter",
                tensor.type,
                " or ".join(sorted(kinds)),
                f"has a filter of type {tensor.type}, which XNNPACK does not take here",
            )
        if tensor.type in FLOAT:
            return
        if tensor.type == "UINT8":
            self._one_scale(tensor, "filter")
            return
        scales, dimension = self._scales(tensor, "filter")
        if scales > 1 and dimension != axis:
            self.refuse(
                "delegate-quantization",
                "filter",
                f"along dimension {dimension}",
                f"along dimension {axis}",
                f"has a filter quantized along dimension {dimension}",
            )

    def bias(self, tensor: Tensor) -> None:
        """The tensor may be a bias."""
        if tensor.type not in FLOAT | {"INT32"}:
            self.refuse(
                "delegate-type",
                "bias",
                tensor.type,
                "FLOAT32 or FLOAT16 or INT32",
                f"has a bias of type {tensor.type}, which XNNPACK does not take here",
            )
        if tensor.type == "INT32":
            self._scales(tensor, "bias")

    def filter_and_bias(self, filt: Tensor, bias: Tensor) -> None:
        """Floating-point filter and bias go together, looking through skipped DEQUANTIZEs."""
        first, second = self._seen(filt), self._seen(bias)
        mixed = {
            ("FLOAT16", "FLOAT32"): self.runtime.half_filter_full_bias,
            ("FLOAT32", "FLOAT16"): self.runtime.full_filter_half_bias,
        }
        if first in FLOAT and second != first and not mixed.get((first, second), False):
            self.refuse(
                "delegate-mixed-types",
                "bias",
                second,
                first,
                f"has a filter of {first} and a bias of {second}",
            )

    def rank(self, tensor: Tensor, name: str, least: int, most: int | None = None) -> None:
        """The tensor has so many dimensions and none of them is empty."""
        most = least if most is None else most
        rank = len(tensor.shape)
        if not least <= rank <= most:
            wanted = str(least) if least == most else f"{least} to {most}"
            self.refuse(
                "delegate-rank",
                name,
                f"{rank}-D",
                f"{wanted}-D",
                f"has {name} with {rank} dimensions; XNNPACK takes {wanted}",
            )
        if any(size <= 0 for size in tensor.shape):
            self.refuse(
                "delegate-rank",
                name,
                list(tensor.shape),
                "no empty dimension",
                f"has {name} with an empty dimension",
            )

    def constant(self, tensor: Tensor, name: str, *, unpacked: bool = False) -> None:
        """The tensor is a constant of the file; with `unpacked`, one that is unpacked will do."""
        if unpacked and self.static.is_unpacked(tensor):
            return
        if not is_constant(tensor) or tensor.index in self.static.encoded:
            self.refuse(
                "delegate-constant",
                name,
                "computed",
                "constant",
                f"has a {name} that is computed; XNNPACK wants a constant",
            )

    def numbers(self, tensor: Tensor, name: str, kinds: tuple[str, ...] = ("INT32",)) -> list[int]:
        """The tensor is a constant of integers; returns them."""
        if tensor.type not in kinds:
            self.refuse(
                "delegate-type",
                name,
                tensor.type,
                " or ".join(kinds),
                f"has {name} of type {tensor.type}",
            )
        self.constant(tensor, name)
        data = tensor.data
        return [] if data is None else [int(n) for n in np.ravel(data)]

    def vector(self, tensor: Tensor, name: str, *, squeeze: bool = False) -> None:
        """The tensor is 1-D; with `squeeze`, leading dimensions of size 1 are ignored."""
        if len(tensor.shape) == 1:
            return
        if not squeeze or any(size != 1 for size in tensor.shape[:-1]):
            self.refuse(
                "delegate-rank",
                name,
                f"{len(tensor.shape)}-D",
                "1-D",
                f"has {name} with {len(tensor.shape)} dimensions",
            )

    def activation(self) -> None:
        """The fused activation is one that XNNPACK can clamp."""
        activation = self.op.option("fused_activation_function", "NONE")
        if activation not in _FUSED:
            self.refuse(
                "delegate-activation",
                "fused_activation_function",
                activation,
                " or ".join(_FUSED),
                f"has the fused activation {activation}, which XNNPACK does not take",
            )

    def option(self, name: str, found: object, wanted: object, *, ok: bool) -> None:
        """An option has a value that XNNPACK takes."""
        if not ok:
            self.refuse(
                "delegate-option",
                name,
                found,
                wanted,
                f"has {name} {found}; XNNPACK wants {wanted}",
            )

    def positive(self, *names: str, default: int = 0) -> None:
        """Options are all greater than zero."""
        for name in names:
            value = self.op.option(name, default)
            self.option(name, value, "more than 0", ok=value > 0)

    def _seen(self, tensor: Tensor) -> str:
        return "FLOAT16" if tensor.index in self.static.halves else tensor.type

    def _scales(self, tensor: Tensor, name: str) -> tuple[int, int]:
        quantization = tensor.quantization
        scales = None if quantization is None else quantization["scale"]
        if quantization is None or scales is None or not len(scales):
            self.refuse(
                "delegate-quantization",
                name,
                "none",
                "scales",
                f"has {name} of integers without a scale",
            )
        return len(scales), int(quantization["quantized_dimension"])

    def _one_scale(self, tensor: Tensor, name: str) -> None:
        scales, dimension = self._scales(tensor, name)
        if scales != 1 or dimension != 0:
            self.refuse(
                "delegate-quantization",
                name,
                f"{scales} scales",
                "1 scale",
                f"has {name} with {scales} scales; XNNPACK takes 1",
            )
