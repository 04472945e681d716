"""Resource variables: what XNNPACK keeps of them, and the copies that it makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_edge_litert import schema_py_generated as litert_schema

from tests.runtime_model.cases.parts import block, head, image, pointwise, trunk
from tests.runtime_model.cases.registry import DENSE, SPARSE, WRONG, case

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.nets.builder import GraphBuilder, Value

VECTOR = (1, 8)


def handle(g: GraphBuilder, name: str = "state") -> Value:
    """The handle of a variable."""
    options = litert_schema.VarHandleOptionsT()
    options.container, options.sharedName = "", name
    return g.op("VAR_HANDLE", [], [((), "RESOURCE")], options)[0]


def assign(g: GraphBuilder, variable: Value, x: Value) -> None:
    """Assigns a value to a variable."""
    g.op("ASSIGN_VARIABLE", [variable, x], [], litert_schema.AssignVariableOptionsT())


def read(
    g: GraphBuilder,
    variable: Value,
    shape: Sequence[int] = VECTOR,
    kind: str = "FLOAT32",
    scale: float | None = None,
) -> Value:
    """Reads a variable."""
    quantized = None if scale is None else ([scale], [0], 0)
    options = litert_schema.ReadVariableOptionsT()
    return g.op("READ_VARIABLE", [variable], [(shape, kind)], options, quantized=quantized)[0]


def vector(g: GraphBuilder, name: str = "input") -> Value:
    """A value that the net has computed."""
    return g.unary("ABS", g.input(VECTOR, name=name))


@case(DENSE, rule="fuse-copy")
def assigned_and_read(g: GraphBuilder) -> Value:
    state = handle(g)
    assign(g, state, vector(g))
    return g.unary("NEG", read(g, state))


@case(DENSE, near="fuse-copy")
def input_assigned_and_read_as_an_output(g: GraphBuilder) -> tuple[Value, ...]:
    x, state = g.input(VECTOR), handle(g)
    assign(g, state, x)
    return read(g, state), g.unary("NEG", x)


@case(DENSE, rule="fuse-copy")
def read_by_two(g: GraphBuilder) -> tuple[Value, ...]:
    state = handle(g)
    assign(g, state, vector(g))
    x = read(g, state)
    return g.unary("NEG", x), g.unary("ABS", x)


@case(DENSE, rule="fuse-copy")
def read_twice(g: GraphBuilder) -> tuple[Value, ...]:
    state = handle(g)
    assign(g, state, vector(g))
    return g.unary("NEG", read(g, state)), g.unary("ABS", read(g, state))


@case(DENSE, rule="fuse-copy")
def assigned_and_used(g: GraphBuilder) -> tuple[Value, ...]:
    x, state = vector(g), handle(g)
    assign(g, state, x)
    return g.unary("NEG", read(g, state)), g.unary("SQUARE", x)


@case(DENSE, near="delegate-variable")
def two_handles_of_one_variable(g: GraphBuilder) -> Value:
    assign(g, handle(g), vector(g))
    return g.unary("NEG", read(g, handle(g)))


@case(DENSE, near="delegate-variable")
def two_variables(g: GraphBuilder) -> Value:
    x, first, second = vector(g), handle(g, "first"), handle(g, "second")
    assign(g, first, x)
    assign(g, second, g.unary("NEG", x))
    return g.add(read(g, second), read(g, first))


@case(DENSE, near="delegate-variable")
def of_integers(g: GraphBuilder) -> Value:
    state = handle(g)
    assign(g, state, g.input(VECTOR, "INT8", scale=0.1))
    return read(g, state, VECTOR, "INT8", 0.1)


@case(DENSE, rule="delegate-variable")
def that_nothing_uses(g: GraphBuilder) -> Value:
    handle(g)
    return vector(g)


@case(DENSE, rule="delegate-type")
def of_a_type_beside_it(g: GraphBuilder) -> tuple[Value, ...]:
    state = handle(g)
    assign(g, state, g.input(VECTOR, "INT32", name="integers"))
    return read(g, state, VECTOR, "INT32"), vector(g)


@case(DENSE, rule="delegate-variable")
def read_in_another_shape(g: GraphBuilder) -> Value:
    state = handle(g)
    assign(g, state, g.input(VECTOR))
    return g.unary("NEG", read(g, state, VECTOR[::-1]))


@case(DENSE, near="delegate-variable")
def used_on_both_sides_of_an_operator_outside(g: GraphBuilder) -> Value:
    state = handle(g)
    assign(g, state, vector(g))
    x = g.squeeze(g.reshape(g.unary("NEG", read(g, state)), (1, *VECTOR)), [1])
    return g.add(g.unary("ABS", x), read(g, state))


@block(DENSE, near="delegate-variable")
def assigned_a_map_of_the_cluster(g: GraphBuilder, x: Value) -> Value:
    assign(g, handle(g), x)
    return x


@block(WRONG, rule="layout-nchw-read")
def map_that_was_read(g: GraphBuilder, x: Value) -> Value:
    state = handle(g)
    assign(g, state, x)
    return pointwise(g, read(g, state, x.shape))


@case(SPARSE, near="delegate-variable")
def beside_a_cluster(g: GraphBuilder) -> tuple[Value, ...]:
    state, other = handle(g), g.input(VECTOR, name="other")
    assign(g, state, other)
    return head(g, trunk(g)), g.unary("NEG", read(g, state))


@case(SPARSE, near="delegate-variable")
def assigned_behind_the_head(g: GraphBuilder) -> tuple[Value, ...]:
    x, state = head(g, pointwise(g, trunk(g))), handle(g)
    assign(g, state, x)
    return x, g.unary("NEG", read(g, state, x.shape))


@case(DENSE, near="delegate-variable")
def image_that_was_read(g: GraphBuilder) -> Value:
    x, state = image(g), handle(g)
    assign(g, state, x)
    return head(g, pointwise(g, g.unary("ABS", read(g, state, x.shape))))
