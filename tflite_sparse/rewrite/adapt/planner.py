"""Adapts a model: tries it on a copy, asks the model of the runtime, and keeps what pays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.errors import RewriteError
from tflite_sparse.rewrite.adapt.adaptation import Adaptation, AdaptOptions, Step
from tflite_sparse.rewrite.adapt.editor import Editor
from tflite_sparse.rewrite.adapt.outlook import TARGETS, Prospect, outlook, prospects
from tflite_sparse.rewrite.adapt.passes.barriers import raise_barriers
from tflite_sparse.rewrite.adapt.passes.canonicalize import spell
from tflite_sparse.rewrite.adapt.passes.heads import mend_heads
from tflite_sparse.rewrite.adapt.regions.apply import apply_region, own_paddings
from tflite_sparse.rewrite.adapt.regions.price import Pricer
from tflite_sparse.rewrite.adapt.regions.search import find_regions, nearest_obstacles
from tflite_sparse.rewrite.adapt.shape_check import unsound
from tflite_sparse.rewrite.changes import OperatorChange, Rewrite
from tflite_sparse.rewrite.storage.densify import densify
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.rewrite.writing.runtime_version import needed_version, raise_runtime_version
from tflite_sparse.xnnpack.releases.targets import target as target_of

if TYPE_CHECKING:
    from tflite_sparse.model import Model, Subgraph

__all__ = ["adapt"]

_MEASURED = "wasm"
_REPAIRS = frozenset({"heads", "barriers"})
_SLOWER = 1.03


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
    original = model.copy()
    # Heads are mended in the file as it is; anything else looks at weights and changes them.
    was_sparse = options.passes != {"heads"} and densify(original).changed
    before = prospects(original, asked)
    first: Adaptation | None = None
    for passes in _attempts(options.passes):
        trial = original.copy()
        kinds = _kinds(trial)
        steps, blocked = _change(trial, passes, eager=not options.min_gain)
        after = prospects(trial, asked) if steps else before
        refusal = _refusal(before, after, steps, blocked, targets, options)
        views = tuple(view for view in outlook(before, after) if view.target in targets)
        adaptation = Adaptation(refusal is None, refusal or "", steps, views, blocked)
        if refusal is None:
            return _adopted(model, trial, adaptation, kinds, again=was_sparse)
        first = first or adaptation
    return Rewrite(model, "adapt", (), (), adaptation=first)


def _attempts(passes: frozenset[str]) -> list[frozenset[str]]:
    """All passes that may be used; where these win nothing, fewer, and those that only repair."""
    fewer = (passes, passes - {"entries"}, passes & _REPAIRS)
    return list(dict.fromkeys(some for some in fewer if some))


def _adopted(
    model: Model, trial: Model, adaptation: Adaptation, kinds: dict[str, int], *, again: bool
) -> Rewrite:
    """Lets a model become what was tried; its weights are stored sparse again where they were."""
    needed = needed_version(trial)
    raised = None
    if needed is not None:
        raised = raise_runtime_version(trial, ".".join(map(str, needed)))
    changes = _changes(kinds, _kinds(trial))
    stored = sparsify(trial) if again else None
    model.adopt(trial)
    return Rewrite(
        model=model,
        kind="adapt",
        weights=(),
        left=(),
        operators=changes,
        min_runtime_version=raised,
        expected=() if stored is None else stored.expected,
        adaptation=adaptation,
    )


def _change(
    model: Model, passes: frozenset[str], *, eager: bool
) -> tuple[tuple[Step, ...], tuple[tuple[str, str], ...]]:
    """Adapts every subgraph; the steps, and what stands in the way of more."""
    steps: list[Step] = []
    blocked: dict[str, str] = {}
    for subgraph in model.subgraphs:
        found, outside = _change_subgraph(subgraph, passes, eager=eager)
        steps += found
        blocked.update(outside)
    if "barriers" in passes:
        steps += raise_barriers(model)
    model.drop_unused_codes()
    return tuple(steps), tuple(blocked.items())


def _change_subgraph(
    subgraph: Subgraph, passes: frozenset[str], *, eager: bool
) -> tuple[list[Step], dict[str, str]]:
    wrong = unsound(subgraph)
    if wrong is not None:
        return [], {wrong[0].label: f"{wrong[1]}, so that nothing can be relied on"}
    editor = Editor(subgraph)
    if passes <= _REPAIRS:
        if "heads" in passes:
            mend_heads(editor)
        return editor.steps, {}
    own_paddings(editor)
    if "spelling" in passes:
        spell(editor)
    regions = find_regions(editor, passes, Pricer(eager=eager))
    for region in regions:
        apply_region(region)
    if not regions:
        return [], {editor.label(op): why for op, why in nearest_obstacles(editor, passes)}
    blocked = {
        op.label: why for region in regions for op, why in region.blocked if not editor.is_gone(op)
    }
    return editor.steps, blocked


def _refusal(
    before: dict[str, Prospect],
    after: dict[str, Prospect],
    steps: tuple[Step, ...],
    blocked: tuple[tuple[str, str], ...],
    targets: tuple[str, ...],
    options: AdaptOptions,
) -> str | None:
    """Why the result is not to be kept; None where it is."""
    if not steps:
        return _nothing(before, blocked)
    for name in targets:
        if after[name].outcome.is_failure and not before[name].outcome.is_failure:
            return f"on {name} the result would end in {after[name].outcome.value}"
    if any(before[n].outcome.is_failure and not after[n].outcome.is_failure for n in targets):
        return None
    # A barrier is worth its price alone, not on top of what has won nothing.
    walled = {step.name for step in steps} <= _REPAIRS
    gained = any(after[n].sparse_macs > before[n].sparse_macs for n in targets)
    stored = walled and after[_MEASURED].stored > before[_MEASURED].stored
    if not gained and not stored:
        return "no more of the model would run sparse"
    least = min(options.min_gain, options.min_gain if gained else 1 / _SLOWER)
    return _too_slow(before[_MEASURED], after[_MEASURED], least)


def _too_slow(was: Prospect, now: Prospect, min_gain: float) -> str | None:
    if was.ms is None or now.ms is None:
        return None
    fastest = min(was.ms, was.dense_ms or was.ms)
    if fastest >= now.ms * min_gain:
        return None
    return f"it would take about {now.ms:.2f} ms in WebAssembly; as it is, {fastest:.2f} ms"


def _nothing(before: dict[str, Prospect], blocked: tuple[tuple[str, str], ...]) -> str:
    """Why there was nothing to try."""
    now = before[_MEASURED]
    if not now.pointwise:
        return "it has no 1x1 convolutions, the only operators with sparse kernels"
    if now.sparse:
        return "it is eligible as it is; tflite-sparse sparsify stores its weights sparse"
    if now.zeros * 3 <= now.weights * 2:
        return (
            f"{now.zeros / max(now.weights, 1):.1%} of its 1x1 weights are zero,"
            " more than two thirds must be"
        )
    said = "no part of it would run both sparse and faster"
    return f"{said}: {blocked[0][0]} {blocked[0][1]}" if blocked else said


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
