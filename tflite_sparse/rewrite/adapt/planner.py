"""Adapts a model: tries it on a copy, asks the model of the runtime, and keeps what pays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.errors import RewriteError
from tflite_sparse.model.macs import macs
from tflite_sparse.rewrite.adapt.apply import apply_region, own_paddings
from tflite_sparse.rewrite.adapt.barriers import raise_barriers
from tflite_sparse.rewrite.adapt.editor import Editor
from tflite_sparse.rewrite.adapt.heads import mend_heads
from tflite_sparse.rewrite.adapt.outlook import TARGETS, Prospect, outlook, prospects
from tflite_sparse.rewrite.adapt.price import Pricer
from tflite_sparse.rewrite.adapt.results import Adaptation, AdaptOptions, Step
from tflite_sparse.rewrite.adapt.search import find_regions
from tflite_sparse.rewrite.adapt.spelling import spell
from tflite_sparse.rewrite.densify import densify
from tflite_sparse.rewrite.results import OperatorChange, Rewrite
from tflite_sparse.rewrite.runtime_version import needed_version, raise_runtime_version
from tflite_sparse.rewrite.sparsify import sparsify
from tflite_sparse.xnnpack.targets import target as target_of

if TYPE_CHECKING:
    from tflite_sparse.model import Model, Subgraph

__all__ = ["adapt"]

_MEASURED = "wasm"


def adapt(model: Model, options: AdaptOptions | None = None) -> Rewrite:
    """Makes a model eligible for sparse inference, without a change to what it computes.

    Paddings, kernels, ends and spellings are changed to what XNNPACK's sparse layout takes; what
    the caller sees stays. The model is changed only where, by the model of the runtime, it stays
    right on every target, more of it runs sparse, and the estimate says that it gets faster.
    Weights that were stored sparse are stored sparse again.

    Args:
        model: the model; it is replaced in place by the result.
        options: which passes and targets.

    Returns:
        What was done, or why nothing was: `result.adaptation`.

    Raises:
        RewriteError: the model cannot be written without loss.
        EncodingError: a sparse encoding in the model is malformed.
        UsageError: there is no such target.
    """
    options = options or AdaptOptions()
    if model.read_only is not None:
        raise RewriteError(model.read_only, hint="upgrade tflite-sparse")
    targets = tuple(target_of(name).name for name in options.targets or TARGETS)
    asked = tuple(dict.fromkeys((*targets, _MEASURED)))
    trial = model.copy()
    was_sparse = densify(trial).changed
    before = prospects(trial, asked)
    kinds = _kinds(trial)
    steps, blocked = _change(trial, options)
    if not steps:
        return _unchanged(model, Adaptation(False, _nothing(trial, blocked), blocked=blocked))
    after = prospects(trial, asked)
    views = tuple(view for view in outlook(before, after) if view.target in targets)
    refusal = _refusal(before, after, steps, targets, options)
    if refusal is not None:
        return _unchanged(model, Adaptation(False, refusal, steps, views, blocked))
    changed = _changes(kinds, _kinds(trial))
    raised = None
    needed = needed_version(trial)
    if needed is not None:
        raised = raise_runtime_version(trial, ".".join(map(str, needed)))
    again = sparsify(trial) if was_sparse else None
    model.adopt(trial)
    return Rewrite(
        model=model,
        kind="adapt",
        weights=(),
        left=(),
        operators=changed,
        min_runtime_version=raised,
        expected=again.expected if again is not None else (),
        adaptation=Adaptation(True, "", steps, views, blocked),
    )


def _change(
    model: Model, options: AdaptOptions
) -> tuple[tuple[Step, ...], tuple[tuple[str, str], ...]]:
    """Adapts every subgraph; the steps, and what stands in the way of more."""
    steps: list[Step] = []
    blocked: dict[str, str] = {}
    for subgraph in model.subgraphs:
        found, outside = _change_subgraph(subgraph, options.passes)
        steps += found
        blocked.update(outside)
    if "barriers" in options.passes:
        steps += raise_barriers(model)
    model.drop_unused_codes()
    return tuple(steps), tuple(blocked.items())


def _change_subgraph(
    subgraph: Subgraph, passes: frozenset[str]
) -> tuple[list[Step], dict[str, str]]:
    editor = Editor(subgraph)
    if passes <= {"heads", "barriers"}:
        if "heads" in passes:
            mend_heads(editor)
        return editor.steps, {}
    own_paddings(editor)
    if "spelling" in passes:
        spell(editor)
    regions = find_regions(editor, passes, Pricer())
    for region in regions:
        apply_region(region)
    if not regions:
        return [], {}
    blocked = {
        op.label: why for region in regions for op, why in region.blocked if not editor.is_gone(op)
    }
    return editor.steps, blocked


def _refusal(
    before: dict[str, Prospect],
    after: dict[str, Prospect],
    steps: tuple[Step, ...],
    targets: tuple[str, ...],
    options: AdaptOptions,
) -> str | None:
    """Why the result is not to be kept."""
    for name in targets:
        if after[name].outcome.is_failure and not before[name].outcome.is_failure:
            return f"on {name} the result would end in {after[name].outcome.value}"
    if any(before[n].outcome.is_failure and not after[n].outcome.is_failure for n in targets):
        return None
    was, now = before[_MEASURED], after[_MEASURED]
    gained = any(after[n].sparse_macs > before[n].sparse_macs for n in targets)
    if not gained:
        walled = any(step.name == "barriers" for step in steps)
        smaller = walled and now.stored > was.stored
        return None if smaller else "no more of the model would run sparse"
    if was.ms is None or now.ms is None or not options.min_gain:
        return None
    fastest = min(was.ms, was.dense_ms or was.ms)
    if fastest < now.ms * options.min_gain:
        return f"it would take about {now.ms:.2f} ms in WebAssembly; as it is, {fastest:.2f} ms"
    return None


def _nothing(model: Model, blocked: tuple[tuple[str, str], ...]) -> str:
    del blocked
    pointwise = [
        op
        for op in model.operators()
        if op.name == "CONV_2D"
        and len(op.inputs) > 1
        and op.inputs[1] is not None
        and op.inputs[1].shape[1:3] == (1, 1)
        and macs(op)
    ]
    if not pointwise:
        return "it has no 1x1 convolutions, the only operators with sparse kernels"
    return "no part of it would run sparse and faster"


def _unchanged(model: Model, adaptation: Adaptation) -> Rewrite:
    return Rewrite(model, "adapt", (), (), adaptation=adaptation)


def _kinds(model: Model) -> dict[str, int]:
    found: dict[str, int] = {}
    for op in model.operators():
        name = op.custom_code or op.name
        found[name] = found.get(name, 0) + 1
    return found


def _changes(before: dict[str, int], after: dict[str, int]) -> tuple[OperatorChange, ...]:
    found = []
    for name in sorted({*before, *after}):
        more = after.get(name, 0) - before.get(name, 0)
        if more:
            found.append(OperatorChange(name, added=max(more, 0), removed=max(-more, 0)))
    return tuple(found)
