"""The role stage: what each node may be in a sparse cluster, and why not.

Source: XNNPACK src/subgraph.c, xnn_check_nchw_compatibility; the order of checks is the runtime's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.xnnpack.explain.wording import reason
from tflite_sparse.xnnpack.graph import pools_all
from tflite_sparse.xnnpack.plan_types import Reason, Role
from tflite_sparse.xnnpack.releases.runtimes import DEFAULT_RUNTIME, Runtime

if TYPE_CHECKING:
    from collections.abc import Callable

    from tflite_sparse.xnnpack.graph import Node, Value, Window

__all__ = ["RoleOf", "role_of"]

_RANK = 4
_ENTRY_CHANNELS = 3
_IMAGE_CHANNELS = 4
# A rule: its code, whether it holds, what it looks at, what is there, what it wants.
_Requirement = tuple[str, bool, str, str, str]


class RoleOf(msgspec.Struct, frozen=True):
    """The role of a node.

    Attributes:
        role: what it may be.
        refusal: the first rule by which it may be nothing.
    """

    role: Role
    refusal: Reason | None = None

    @property
    def inner(self) -> bool:
        """Whether it may be inside a cluster."""
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


def role_of(node: Node, runtime: Runtime = DEFAULT_RUNTIME) -> RoleOf:
    """What a node may be in a sparse cluster, by the rules of a release."""
    for value in (*node.inputs, *node.outputs):
        if not value.is_float:
            return _refused(
                node,
                "role-type",
                f"works on {_kind(value)}; only fp32 and fp16 go sparse",
                operand=_name(node, value),
                found=_kind(value),
                wanted="fp32 or fp16",
            )
    check = _ROLES.get(node.kind)
    if check is None or not _has_form(node, runtime):
        what = node.operator.custom_code or node.operator.name
        return _refused(
            node,
            "role-operator",
            "has no form for the sparse layout",
            found=what,
            wanted="an operator with a sparse form",
        )
    return check(node)


def _has_form(node: Node, runtime: Runtime) -> bool:
    """Whether a release has a form of a kind of node for the sparse layout."""
    if node.kind == "unary":
        return runtime.sparse_unary is None or node.function in runtime.sparse_unary
    if node.kind == "fully_connected":
        return runtime.sparse_fully_connected or node.window is not None
    if node.kind == "reduce" and not runtime.sparse_reductions:
        return node.function == "mean" and pools_all(node)
    return True


def _kind(value: Value) -> str:
    return value.tensor.type if value.tensor is not None else value.type


def _name(node: Node, value: Value) -> str:
    if value in node.outputs:
        return "output"
    return "input" if node.inputs[0] is value else f"input {node.inputs.index(value)}"


def _refused(
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


def _sides(window: Window) -> str:
    if window.same:
        return f"SAME with stride {_pair(window.stride)}"
    top, right, bottom, left = window.padding
    return f"top {top}, right {right}, bottom {bottom}, left {left}"


def _pair(pair: tuple[int, int]) -> str:
    return f"{pair[0]}x{pair[1]}"


def _inner(_: Node) -> RoleOf:
    return RoleOf(Role.INNER)


def _first_broken(node: Node, rules: list[_Requirement], role: Role) -> RoleOf:
    for code, fits, operand, found, wanted in rules:
        if not fits:
            sentence = f"has {operand} {found}; sparse kernels need {wanted}"
            if role is Role.ENTRY:
                sentence = _not_first(node, operand, found, wanted)
            return _refused(node, code, sentence, operand=operand, found=found, wanted=wanted)
    return RoleOf(role)


def _not_first(node: Node, operand: str, found: str, wanted: str) -> str:
    """What keeps a 3x3 convolution from bringing its input into the sparse layout."""
    window = node.window
    of_image = window is not None and window.inputs == _ENTRY_CHANNELS
    if window is not None and window.inputs > _IMAGE_CHANNELS:
        return f"is a 3x3 convolution of {window.inputs} channels; sparse kernels need 1x1"
    kind = "the first convolution" if of_image else "a 3x3 convolution"
    if operand == "padding":
        has = "uses SAME padding" if found.startswith("SAME") else f"pads {found}"
        return f"{has}; {kind} must pad exactly {wanted}"
    if operand == "input channels":
        return f"has {found} {operand}; {kind} must have {wanted}"
    return f"has {operand} {found}; {kind} must have {operand} {wanted}"


def _convolution(node: Node) -> RoleOf:
    window = node.window
    assert window is not None  # noqa: S101 - the define stage gives every convolution one
    general = _first_broken(node, _general_rules(window), Role.INNER)
    if general.refusal is not None:
        return general
    if window.kernel == (1, 1):
        return _first_broken(node, _pointwise_rules(window), Role.INNER)
    return _first_broken(node, _entry_rules(window), Role.ENTRY)


def _general_rules(window: Window) -> list[_Requirement]:
    one, dilation = "1", _pair(window.dilation)
    has_form = window.kernel in ((1, 1), (3, 3))
    return [
        ("conv-groups", window.groups == 1, "groups", str(window.groups), one),
        ("conv-dilation", window.dilation == (1, 1), "dilation", dilation, "1x1"),
        (
            "conv-kernel",
            has_form,
            "kernel",
            _pair(window.kernel),
            "1x1, or 3x3 in the first convolution",
        ),
    ]


def _pointwise_rules(window: Window) -> list[_Requirement]:
    padding, stride = _sides(window), _pair(window.stride)
    return [
        ("conv-pointwise-padding", not any(window.padding), "padding", padding, "none"),
        ("conv-pointwise-stride", window.stride == (1, 1), "stride", stride, "1x1"),
    ]


def _entry_rules(window: Window) -> list[_Requirement]:
    padding, stride = _sides(window), _pair(window.stride)
    padded, strided = window.padding == (1, 1, 1, 1), window.stride == (2, 2)
    three = window.inputs == _ENTRY_CHANNELS
    return [
        ("conv-entry-padding", padded, "padding", padding, "1 on every side"),
        ("conv-entry-stride", strided, "stride", stride, "2x2"),
        ("conv-entry-channels", three, "input channels", str(window.inputs), "3"),
    ]


def _depthwise(node: Node) -> RoleOf:
    window = node.window
    assert window is not None  # noqa: S101 - the define stage gives every convolution one
    return _first_broken(node, _depthwise_rules(window), Role.INNER)


def _depthwise_rules(window: Window) -> list[_Requirement]:
    dilation, stride, kernel = (_pair(window.dilation), _pair(window.stride), _pair(window.kernel))
    multiplier, side = str(window.multiplier), (window.kernel[0] - 1) // 2
    single, square = window.multiplier == 1, window.kernel in ((3, 3), (5, 5))
    steps, around = window.stride in ((1, 1), (2, 2)), window.padding == (side,) * 4
    wanted = f"padding of {side} on every side"
    return [
        ("depthwise-dilation", window.dilation == (1, 1), "dilation", dilation, "1x1"),
        ("depthwise-same", not window.same, "padding", _sides(window), f"explicit {wanted}"),
        ("depthwise-multiplier", single, "depth multiplier", multiplier, "1"),
        ("depthwise-stride", steps, "stride", stride, "1x1 or 2x2"),
        ("depthwise-kernel", square, "kernel", kernel, "3x3 or 5x5"),
        ("depthwise-padding", around, "padding", _sides(window), wanted),
    ]


def _binary(node: Node) -> RoleOf:
    first, second = node.inputs
    if node.function not in ("add", "multiply"):
        return _refused(
            node,
            "binary-operator",
            "has no sparse form; of operators on two inputs only ADD and MUL have",
            found=node.operator.name,
            wanted="ADD or MUL",
        )
    ranks = (len(first.shape), len(second.shape))
    if ranks != (_RANK, _RANK):
        return _refused(
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
        sentence = (
            f"has a constant first input that varies along {varying} dimensions; one is the most"
            if first.is_static
            else "has its constant second; it must come first"
        )
        return _refused(
            node,
            code,
            sentence,
            operand="first input",
            found=list(first.shape),
            wanted="at most one dimension above 1",
        )
    return RoleOf(Role.INNER)


def _unary(node: Node) -> RoleOf:
    rank = len(node.inputs[0].shape)
    if rank != _RANK:
        return _refused(
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
        return _refused(
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
        return _refused(
            node,
            "role-operator",
            "has no form for the sparse layout",
            found=node.operator.name,
            wanted="MEAN or SUM",
        )
    if rank != _RANK:
        return _refused(
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
