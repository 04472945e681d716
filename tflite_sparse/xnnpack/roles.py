"""The role stage: what each node may be in a sparse cluster, and why not.

Source: XNNPACK src/subgraph.c, xnn_check_nchw_compatibility; the order of checks is the runtime's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tflite_sparse.xnnpack.results import Role
from tflite_sparse.xnnpack.wording import reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from tflite_sparse.xnnpack.graph import Node, Value, Window
    from tflite_sparse.xnnpack.results import Reason

__all__ = ["RoleOf", "role_of"]

_RANK = 4
_ENTRY_CHANNELS = 3


@dataclass(frozen=True, slots=True)
class RoleOf:
    """The role of a node.

    Attributes:
        role: what it may be.
        refusal: the first rule by which it may be nothing.
    """

    role: Role
    refusal: Reason | None = None

    @property
    def inner(self) -> bool:
        """Whether it may lie inside a cluster."""
        return self.role in (Role.INNER, Role.INNER_OR_EXIT)

    @property
    def exit(self) -> bool:
        """Whether it may end one."""
        return self.role in (Role.EXIT, Role.INNER_OR_EXIT)

    @property
    def takes_part(self) -> bool:
        """Whether its inputs are put into the sparse layout: all members but entries."""
        return self.inner or self.exit

    @property
    def may_be_read(self) -> bool:
        """Whether a member may read it: entries and inner operators."""
        return self.inner or self.role is Role.ENTRY


def role_of(node: Node) -> RoleOf:
    """What a node may be in a sparse cluster."""
    for value in (*node.inputs, *node.outputs):
        if not value.is_float:
            return _no(
                node,
                "role-type",
                f"works on {_kind(value)}; only fp32 and fp16 go sparse",
                operand=_name(node, value),
                found=_kind(value),
                wanted="fp32 or fp16",
            )
    check = _ROLES.get(node.kind)
    if check is None:
        what = node.operator.custom_code or node.operator.name
        return _no(
            node,
            "role-operator",
            "has no form for the sparse layout",
            found=what,
            wanted="an operator with a sparse form",
        )
    return check(node)


def _kind(value: Value) -> str:
    return value.tensor.type if value.tensor is not None else value.type


def _name(node: Node, value: Value) -> str:
    if value in node.outputs:
        return "output"
    return "input" if node.inputs[0] is value else f"input {node.inputs.index(value)}"


def _no(
    node: Node,
    code: str,
    sentence: str,
    *,
    operand: str = "",
    found: object = "",
    wanted: object = "",
) -> RoleOf:
    why = reason(code, node.operator, sentence, operand=operand, found=found, wanted=wanted)
    return RoleOf(Role.NONE, why)


def _sides(padding: tuple[int, int, int, int]) -> str:
    top, right, bottom, left = padding
    return f"top {top}, right {right}, bottom {bottom}, left {left}"


def _inner(_: Node) -> RoleOf:
    return RoleOf(Role.INNER)


def _convolution(node: Node) -> RoleOf:
    window = node.window
    assert window is not None  # noqa: S101 - the define stage gives every convolution one
    if window.groups != 1:
        return _no(
            node,
            "conv-groups",
            f"has {window.groups} groups; the sparse path wants 1",
            operand="groups",
            found=window.groups,
            wanted=1,
        )
    if window.dilation != (1, 1):
        return _no(
            node,
            "conv-dilation",
            f"has dilation {_pair(window.dilation)}; the sparse path wants 1x1",
            operand="dilation",
            found=_pair(window.dilation),
            wanted="1x1",
        )
    if window.kernel == (1, 1):
        return _pointwise(node, window)
    if window.kernel == (3, 3):
        return _entry(node, window)
    return _no(
        node,
        "conv-kernel",
        f"has a {_pair(window.kernel)} kernel; "
        "only 1x1 and, at the entry, 3x3 convolutions go sparse",
        operand="kernel",
        found=_pair(window.kernel),
        wanted="1x1 or 3x3",
    )


def _pair(pair: tuple[int, int]) -> str:
    return f"{pair[0]}x{pair[1]}"


def _pointwise(node: Node, window: Window) -> RoleOf:
    if any(window.padding):
        return _no(
            node,
            "conv-pointwise-padding",
            f"pads {_sides(window.padding)}; a 1x1 convolution goes sparse without padding only",
            operand="padding",
            found=window.padding,
            wanted=(0, 0, 0, 0),
        )
    if window.stride != (1, 1):
        return _no(
            node,
            "conv-pointwise-stride",
            f"has stride {_pair(window.stride)}; a 1x1 convolution goes sparse with stride 1 only",
            operand="stride",
            found=_pair(window.stride),
            wanted="1x1",
        )
    return RoleOf(Role.INNER)


def _entry(node: Node, window: Window) -> RoleOf:
    if window.padding != (1, 1, 1, 1):
        said = (
            "leaves its SAME padding to run time"
            if window.same
            else (f"pads {_sides(window.padding)}")
        )
        return _no(
            node,
            "conv-entry-padding",
            f"{said}; an entry needs 1 on each side",
            operand="padding",
            found="SAME" if window.same else window.padding,
            wanted=(1, 1, 1, 1),
        )
    if window.stride != (2, 2):
        return _no(
            node,
            "conv-entry-stride",
            f"has stride {_pair(window.stride)}; an entry needs 2 in both directions",
            operand="stride",
            found=_pair(window.stride),
            wanted="2x2",
        )
    if window.inputs != _ENTRY_CHANNELS:
        return _no(
            node,
            "conv-entry-channels",
            f"reads {window.inputs} channels; an entry needs 3",
            operand="input channels",
            found=window.inputs,
            wanted=_ENTRY_CHANNELS,
        )
    return RoleOf(Role.ENTRY)


def _depthwise(node: Node) -> RoleOf:
    window = node.window
    assert window is not None  # noqa: S101 - the define stage gives every convolution one
    for code, ok, operand, found, wanted in _depthwise_rules(window):
        if not ok:
            return _no(
                node,
                code,
                f"has {operand} {found}; the sparse path wants {wanted}",
                operand=operand,
                found=found,
                wanted=wanted,
            )
    return RoleOf(Role.INNER)


def _depthwise_rules(window: Window) -> list[tuple[str, bool, str, str, str]]:
    kernel = window.kernel
    side = (kernel[0] - 1) // 2
    return [
        (
            "depthwise-dilation",
            window.dilation == (1, 1),
            "dilation",
            _pair(window.dilation),
            "1x1",
        ),
        (
            "depthwise-same",
            not window.same,
            "padding",
            f"SAME with stride {_pair(window.stride)}",
            f"{side} on each side, spelled out",
        ),
        (
            "depthwise-multiplier",
            window.multiplier == 1,
            "depth multiplier",
            str(window.multiplier),
            "1",
        ),
        (
            "depthwise-stride",
            window.stride in ((1, 1), (2, 2)),
            "stride",
            _pair(window.stride),
            "1x1 or 2x2",
        ),
        ("depthwise-kernel", kernel in ((3, 3), (5, 5)), "kernel", _pair(kernel), "3x3 or 5x5"),
        (
            "depthwise-padding",
            window.padding == (side,) * 4,
            "padding",
            _sides(window.padding),
            f"{side} on each side",
        ),
    ]


def _binary(node: Node) -> RoleOf:
    first, second = node.inputs
    if node.function not in ("add", "multiply"):
        return _no(
            node,
            "binary-operator",
            "has no sparse form; of binary operators only ADD and MUL have",
            found=node.operator.name,
            wanted="ADD or MUL",
        )
    ranks = (len(first.shape), len(second.shape))
    if ranks != (_RANK, _RANK):
        return _no(
            node,
            "binary-rank",
            f"reads inputs of {ranks[0]} and {ranks[1]} dimensions; both must have 4",
            operand="inputs",
            found=ranks,
            wanted=(_RANK, _RANK),
        )
    # The runtime looks at the shape of the first input whichever of the two is constant.
    varying = sum(size != 1 for size in first.shape)
    if varying > 1 and (first.is_static or second.is_static):
        code = "binary-constant" if first.is_static else "binary-second-constant"
        said = (
            f"has a constant first input that varies along {varying} dimensions; one is the most"
            if first.is_static
            else "has its constant second; it must come first"
        )
        return _no(
            node,
            code,
            said,
            operand="first input",
            found=list(first.shape),
            wanted="at most one dimension above 1",
        )
    return RoleOf(Role.INNER)


def _unary(node: Node) -> RoleOf:
    rank = len(node.inputs[0].shape)
    if rank != _RANK:
        return _no(
            node,
            "unary-rank",
            f"reads a value of {rank} dimensions; it must have 4",
            operand="input",
            found=rank,
            wanted=_RANK,
        )
    return RoleOf(Role.INNER)


def _resize(node: Node) -> RoleOf:
    shape = node.inputs[0].shape
    if min(shape[1:3]) <= 1:
        return _no(
            node,
            "resize-size",
            f"enlarges a {shape[1]}x{shape[2]} map; both sizes must exceed 1",
            operand="input",
            found=_pair((shape[1], shape[2])),
            wanted="above 1x1",
        )
    return RoleOf(Role.INNER)


def _reduce(node: Node) -> RoleOf:
    rank = len(node.inputs[0].shape)
    if node.function in ("max", "min"):
        return _no(
            node,
            "role-operator",
            "has no form for the sparse layout",
            found=node.operator.name,
            wanted="MEAN or SUM",
        )
    if rank != _RANK:
        return _no(
            node,
            "reduce-rank",
            f"reads a value of {rank} dimensions; it must have 4",
            operand="input",
            found=rank,
            wanted=_RANK,
        )
    return RoleOf(Role.INNER_OR_EXIT)


def _exit(_: Node) -> RoleOf:
    return RoleOf(Role.EXIT)


_ROLES: dict[str, Callable[[Node], RoleOf]] = {
    "fully_connected": _inner,
    "convolution": _convolution,
    "depthwise": _depthwise,
    "binary": _binary,
    "unary": _unary,
    "resize": _resize,
    "reduce": _reduce,
    "depth_to_space": _exit,
}
