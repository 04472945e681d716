"""Holds the shapes and numbers of models with open sizes against LiteRT, which resizes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from tflite_sparse.model import Model
from tflite_sparse.model.sizes.fix import fix_sizes
from tflite_sparse.model.sizes.propagate import Misfit, propagate
from tflite_sparse.model.sizes.sized import resize
from tflite_sparse.runtime.inputs import input_specs, random_inputs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["fixing_changes", "shape_differences"]

Shape = tuple[int, ...]


def _resized(content: bytes, shapes: Sequence[Shape]) -> Interpreter:
    """An interpreter without XNNPACK that has run once on zeros, and kept all that it computed."""
    interpreter = Interpreter(
        model_content=content,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        experimental_preserve_all_tensors=True,
    )
    details = interpreter.get_input_details()
    for detail, shape in zip(details, shapes, strict=True):
        interpreter.resize_tensor_input(detail["index"], shape)
    interpreter.allocate_tensors()
    for detail, shape in zip(details, shapes, strict=True):
        interpreter.set_tensor(detail["index"], np.zeros(shape, detail["dtype"]))
    interpreter.invoke()
    return interpreter


def shape_differences(content: bytes, shapes: Sequence[Shape]) -> list[str]:
    """Where LiteRT gives other shapes and integers to tensors than this package works out.

    Args:
        content: a model.
        shapes: of the inputs of its main subgraph, in their order.
    """
    graph = Model.read(content).main
    try:
        propagated = propagate(graph, dict(zip(graph.inputs, shapes, strict=True)))
    except Misfit as misfit:
        try:
            details = _resized(content, shapes).get_tensor_details()
        except (RuntimeError, ValueError):
            return []
        # LiteRT runs on with maps of no size, which nobody wants to look at.
        empty = any(0 in detail["shape"] for detail in details)
        return [] if empty else [f"LiteRT takes {shapes}: {misfit}"]
    interpreter = _resized(content, shapes)
    found = {detail["index"]: detail["shape"] for detail in interpreter.get_tensor_details()}
    differences = [
        f"{tensor!r}: {found[tensor.index]} for {shape}"
        for tensor, shape in propagated.shapes.items()
        if tensor.index in found and tuple(found[tensor.index]) != shape
    ]
    return differences + [
        f"{tensor!r}: {interpreter.get_tensor(tensor.index)} for {value}"
        for tensor, value in propagated.integers.items()
        if not np.array_equal(interpreter.get_tensor(tensor.index), value)
    ]


def _outputs(content: bytes, feeds: dict[str, NDArray[np.generic]]) -> list[NDArray[np.generic]]:
    interpreter = _resized(content, [value.shape for value in feeds.values()])
    for detail, value in zip(interpreter.get_input_details(), feeds.values(), strict=True):
        interpreter.set_tensor(detail["index"], value)
    interpreter.invoke()
    return [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()]


def fixing_changes(content: bytes, shapes: Sequence[Shape]) -> list[str]:
    """What is wrong with a model whose sizes were fixed.

    Args:
        content: a model that leaves sizes open.
        shapes: of the inputs of its main subgraph, in their order.
    """
    model = Model.read(content)
    asked = {t.name: shape for t, shape in zip(model.main.inputs, shapes, strict=True)}
    resize(model, asked)
    feeds = random_inputs(input_specs(model, input_shapes=asked), 1)[0]
    fix_sizes(model, asked)
    fixed = model.to_bytes()
    problems = [
        f"{tensor!r} is open"
        for tensor in Model.read(fixed).main.tensors
        if tensor.shape_signature is not None
    ]
    problems += shape_differences(fixed, shapes)
    for before, after in zip(_outputs(content, feeds), _outputs(fixed, feeds), strict=True):
        if before.shape != after.shape or not np.array_equal(before, after):
            problems.append(f"computes something else: {before.shape}, {after.shape}")
    return problems
