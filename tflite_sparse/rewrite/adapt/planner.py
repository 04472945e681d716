"""Adapts a model: changes a copy, asks the model of the runtime, and keeps what pays."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tflite_sparse.model.sizes.arena import peak_bytes
from tflite_sparse.model.sizes.sized import input_shapes_of
from tflite_sparse.model.weights import is_pointwise
from tflite_sparse.rewrite.adapt.adaptation import Adaptation, Attempt, Blocked, Outlook, Step
from tflite_sparse.rewrite.adapt.convolution import is_kxk
from tflite_sparse.rewrite.adapt.editor import Editor
from tflite_sparse.rewrite.adapt.options import AdaptOptions
from tflite_sparse.rewrite.adapt.outlook import TARGETS, outlook, prospects
from tflite_sparse.rewrite.adapt.passes import registry
from tflite_sparse.rewrite.adapt.passes.adapt_pass import FinalPass, SubgraphPass
from tflite_sparse.rewrite.adapt.passes.canonicalize import unshare_paddings
from tflite_sparse.rewrite.adapt.passes.entries import ENTRIES
from tflite_sparse.rewrite.adapt.passes.fold import FOLD
from tflite_sparse.rewrite.adapt.passes.heads import HEADS, separate_classifiers
from tflite_sparse.rewrite.adapt.passes.kxk import KXK
from tflite_sparse.rewrite.adapt.passes.permute import PERMUTE, Planned
from tflite_sparse.rewrite.adapt.regions.carry_out import carry_out
from tflite_sparse.rewrite.adapt.regions.price import Pricer
from tflite_sparse.rewrite.adapt.regions.region import OUTSIDE
from tflite_sparse.rewrite.adapt.regions.root_causes import root_causes
from tflite_sparse.rewrite.adapt.regions.search import (
    find_regions,
    possible_layouts,
    price_in_the_way,
)
from tflite_sparse.rewrite.adapt.shape_check import shape_mismatch
from tflite_sparse.rewrite.adapt.worth import (
    MEASURED,
    is_final,
    reason_against,
    reason_by_memory,
    reason_for_no_steps,
    with_root_cause,
)
from tflite_sparse.rewrite.at_sizes import run_at_sizes
from tflite_sparse.rewrite.changes import OperatorChange, Rewrite, RewriteKind
from tflite_sparse.rewrite.failing import failing
from tflite_sparse.rewrite.model_pass import ModelPass
from tflite_sparse.rewrite.storage.densify import densify
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.rewrite.writing.runtime_version import needed_version, raise_runtime_version
from tflite_sparse.xnnpack.cost.planning import Planning
from tflite_sparse.xnnpack.releases.targets import target as target_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tflite_sparse.model import Model, Subgraph
    from tflite_sparse.rewrite.adapt.passes.adapt_pass import AnyPass
    from tflite_sparse.rewrite.adapt.regions.region import Region

__all__ = ["Adapt", "adapt"]

_MOST = 0.5


class Adapt(ModelPass):
    """Makes a model eligible for sparse inference, see `adapt`."""

    name = RewriteKind.ADAPT
    summary = "Make a CNN eligible for sparse inference, without a change to what it computes."
    in_place = False

    def __init__(self, options: AdaptOptions | None = None) -> None:
        self.options = options or AdaptOptions()

    def apply(self, model: Model) -> Rewrite:
        """Changes a copy, with fewer passes where more win nothing, and keeps what pays."""
        options = self.options
        targets = tuple(target_of(name).name for name in options.targets or TARGETS)
        asked, planning = tuple(dict.fromkeys((*targets, MEASURED))), Planning(targets)
        wrong = failing(model, asked)
        original = model.copy()
        # Heads are mended in the file as it is; anything else looks at weights and changes them.
        made_dense = densify(original) if options.passes != {HEADS} else Rewrite(model, self.name)
        was_sparse = made_dense.changed
        before = prospects(original, asked, planning)
        pointwise = sum(map(is_pointwise, original.operators()))
        wide = sum(map(is_kxk, original.operators()))
        first: Adaptation | None = None
        memory = peak_bytes(original)
        most = math.inf if options.max_arena is None else max(options.max_arena, memory)
        attempts = _attempts(options.passes, bounded=options.max_arena is not None)
        sizes = input_shapes_of(original)
        if sizes.chosen:
            # What repairs does so at every size; the rest counts on the one that it is made for.
            attempts = [frozenset(p for p in options.passes if p.repairs)]
        for passes in attempts:
            trial = original.copy()
            counts = _operator_counts(trial)
            labels = {operator: operator.label for operator in trial.operators()}
            eager = not options.min_gain
            pricer = Pricer(planning, eager=eager, reorders=PERMUTE in passes)
            steps, blocked = _change(trial, passes, pricer, most)
            steps += separate_classifiers(trial, labels, passes, targets, changed=bool(steps))
            needed = peak_bytes(trial)
            after = prospects(trial, asked, planning) if steps else before
            if PERMUTE in passes:
                runs = [after[name].runs(trial, name, planning) for name in targets]
                ordered = PERMUTE.run(Planned(trial, runs, labels, max(options.min_gain, 1.0)))
                steps += ordered
                after = prospects(trial, asked, planning) if ordered else after
            if steps:
                only_repairs = all(registry.PASSES[step.name].repairs for step in steps)
                refusal = reason_by_memory(needed, most) or reason_against(
                    before,
                    after,
                    planning,
                    options.min_gain,
                    only_repairs=only_repairs,
                    reorders=all(step.name == PERMUTE.name for step in steps),
                )
            else:
                refusal = reason_for_no_steps(before, sizes, pointwise, wide)
            if refusal is not None and sizes.chosen:
                refusal = reason_for_no_steps(before, sizes, pointwise, wide)
            views = tuple(view for view in outlook(before, after) if view.target in targets)
            if refusal is None:
                adaptation = Adaptation(
                    done=True,
                    steps=steps,
                    outlook=views,
                    blocked=blocked,
                    activations_before=memory,
                    activations_after=needed,
                )
                return _adopted(trial, adaptation, counts, again=was_sparse)
            if first is None:
                first = _given_up(refusal, steps, views, blocked, memory)
        if wrong is not None and was_sparse:
            repaired = _stored_safely(model, made_dense, first)
            if failing(repaired.model, asked) is None:
                return repaired
        return Rewrite(model, self.name, adaptation=first)


def _given_up(
    reason: str,
    steps: tuple[Step, ...],
    views: tuple[Outlook, ...],
    blocked: tuple[Blocked, ...],
    memory: int,
) -> Adaptation:
    """What there is to say of a model that stays as it is."""
    unchanged = tuple(view.unchanged for view in views)
    attempt = Attempt(steps, views) if steps else None
    # Of what is final nothing in the graph is to blame.
    final = is_final(reason)
    return Adaptation(
        done=False,
        reason=reason if final else with_root_cause(reason, blocked),
        outlook=unchanged,
        blocked=() if final else blocked,
        attempt=attempt,
        activations_before=memory,
        activations_after=memory,
    )


def adapt(
    model: Model,
    options: AdaptOptions | None = None,
    *,
    input_shapes: Mapping[str, Sequence[int]] | None = None,
    batch: int | None = None,
) -> Rewrite:
    """Makes a model eligible for sparse inference, without a change to what it computes.

    Paddings, kernels, ends and spellings are changed to what XNNPACK's sparse layout takes; what
    the caller sees stays. The model is changed only where, by the model of the runtime, it stays
    right on every target, more of it runs sparse, and the estimate says that it gets faster.
    Weights that were stored sparse are stored sparse again. Where a model leaves height or width
    open, only what holds for every size is done.

    Args:
        model: the model; it stays as it is.
        options: which passes and targets.
        input_shapes: shapes of inputs that leave sizes open, by name, "" for the only one. The
            result has these sizes for good.
        batch: the same for the first dimension alone.

    Returns:
        What was done, with the new model, or why nothing was: `result.adaptation`.

    Raises:
        RewriteError: the model cannot be written without loss.
        EncodingError: a sparse encoding in the model is malformed.
        UsageError: there is no such target or input, or no model of such a size.
    """
    return run_at_sizes(Adapt(options), model, input_shapes, batch)


def _attempts(passes: frozenset[AnyPass], *, bounded: bool) -> list[frozenset[AnyPass]]:
    """All passes that may be used; where these win nothing, fewer, and those that only repair.

    Args:
        passes: the passes that may be used.
        bounded: whether memory is bounded, of which wide convolutions take most.
    """
    repairs = frozenset(p for p in passes if p.repairs)
    fewer = [passes, passes - {ENTRIES}]
    fewer += [some - {KXK} for some in fewer] if bounded else []
    return list(dict.fromkeys(some for some in (*fewer, repairs) if some))


def _adopted(
    trial: Model, adaptation: Adaptation, counts: dict[str, int], *, again: bool
) -> Rewrite:
    """Takes what was tried; its weights are stored sparse again where they were."""
    needed = needed_version(trial)
    raised = None
    if needed is not None:
        raised = raise_runtime_version(trial, ".".join(map(str, needed)))
    changes = _operator_changes(counts, _operator_counts(trial))
    stored = sparsify(trial) if again else None
    return Rewrite(
        model=trial,
        kind=Adapt.name,
        weights=(),
        left=(),
        operators=changes,
        min_runtime_version=raised,
        expected=() if stored is None else stored.expected,
        adaptation=adaptation,
    )


def _stored_safely(model: Model, made_dense: Rewrite, adaptation: Adaptation | None) -> Rewrite:
    """Stores only those weights sparse again with which the runtime stays right."""
    before = _operator_counts(model)
    stored = sparsify(made_dense.model)
    again = {(change.weight.subgraph, change.weight.tensor) for change in stored.weights}
    return Rewrite(
        model=made_dense.model,
        kind=Adapt.name,
        weights=tuple(
            change
            for change in made_dense.weights
            if (change.weight.subgraph, change.weight.tensor) not in again
        ),
        operators=_operator_changes(before, _operator_counts(made_dense.model)),
        expected=(*made_dense.expected, *stored.expected),
        adaptation=adaptation,
    )


def _change(
    model: Model, passes: frozenset[AnyPass], pricer: Pricer, most: float
) -> tuple[tuple[Step, ...], tuple[Blocked, ...]]:
    """Adapts every subgraph; the steps, and what stands in the way of more."""
    steps: list[Step] = []
    blocked: dict[str, Blocked] = {}
    for subgraph in model.subgraphs:
        own_steps, obstacles = _change_subgraph(subgraph, passes, pricer, most)
        steps += own_steps
        blocked.update((obstacle.operator, obstacle) for obstacle in obstacles)
    for final_pass in registry.PASSES:
        if isinstance(final_pass, FinalPass) and final_pass in passes:
            steps += final_pass.run(model)
    model.drop_unused_codes()
    return tuple(steps), tuple(blocked.values())


def _change_subgraph(
    subgraph: Subgraph, passes: frozenset[AnyPass], pricer: Pricer, most: float
) -> tuple[list[Step], list[Blocked]]:
    mismatch = shape_mismatch(subgraph)
    if mismatch is not None:
        operator, reason = mismatch
        return [], [Blocked(operator.label, f"{reason}, so that nothing can be relied on")]
    editor = Editor(subgraph, most, pricer.costs)
    only_repairs = all(p.repairs for p in passes)
    if not only_repairs:
        unshare_paddings(editor)
    for subgraph_pass in registry.PASSES:
        # Repairs alone work on all of the subgraph, with others in the regions that these find.
        is_due = subgraph_pass in passes and subgraph_pass.repairs == only_repairs
        if isinstance(subgraph_pass, SubgraphPass) and is_due:
            subgraph_pass.run(editor)
    if only_repairs:
        return editor.steps, []
    regions = find_regions(editor, passes, pricer)
    obstacles = _obstacles(editor, passes, regions)
    for region in regions:
        carry_out(region, registry.PASSES)
    # What was folded may be all that was in the way; the rest was done for regions.
    folded = any(step.name == FOLD.name for step in editor.steps)
    return (editor.steps if regions or folded else []), obstacles


def _obstacles(editor: Editor, passes: frozenset[AnyPass], regions: list[Region]) -> list[Blocked]:
    """What keeps the rest of a subgraph from running sparse, what matters most first."""
    blocked = {
        op: Blocked(editor.label(op), cause.reason, cause.share)
        for cause in root_causes(editor, passes, possible_layouts(passes), regions)
        for op in cause.operators
    }
    for region in regions:
        for op, reason in region.blocked:
            # What another operator is to blame for is not told.
            if reason != OUTSIDE:
                blocked.setdefault(op, Blocked(editor.label(op), reason))
    least = _MOST if blocked else 0.0
    price = None if regions else price_in_the_way(editor, passes, least=least)
    first = [] if price is None else [Blocked(editor.label(price[0]), price[1])]
    return [*first, *blocked.values()]


def _operator_counts(model: Model) -> dict[str, int]:
    counts: dict[str, int] = {}
    for op in model.operators():
        name = op.custom_code or op.name
        counts[name] = counts.get(name, 0) + 1
    return counts


def _operator_changes(before: dict[str, int], after: dict[str, int]) -> tuple[OperatorChange, ...]:
    changes = []
    for name in sorted({*before, *after}):
        more = after.get(name, 0) - before.get(name, 0)
        if more:
            changes.append(OperatorChange(name, added=max(more, 0), removed=max(-more, 0)))
    return tuple(changes)
