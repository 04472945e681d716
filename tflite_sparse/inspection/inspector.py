"""Looks at a whole model."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from tflite_sparse.errors import EncodingError, ModelError
from tflite_sparse.inspection.file.file_facts import file_facts
from tflite_sparse.inspection.file.gzip_size import (
    GZIP_UP_TO,
    Replacement,
    data_range,
    file_bytes,
    gzip_size,
    gzip_size_with,
    sha256,
)
from tflite_sparse.inspection.hints import with_hints
from tflite_sparse.inspection.inspection import Inspection, OperatorFacts, Totals
from tflite_sparse.inspection.weights.if_sparse import (
    consider_data,
    encoded_arrays,
    facts_of,
    group_by_data,
    settle_all,
)
from tflite_sparse.inspection.weights.weight_facts import problem_of
from tflite_sparse.model.macs import macs
from tflite_sparse.model.sizes.arena import peak_bytes
from tflite_sparse.model.sizes.sized import shapes_asked
from tflite_sparse.model.weights import find_weights, is_pointwise, is_wide
from tflite_sparse.model.zero_counts import ZeroCounts
from tflite_sparse.words.names import readable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tflite_sparse.inspection.runtime_types import OlderRelease, TargetGroup
    from tflite_sparse.inspection.weights.if_sparse import WeightData
    from tflite_sparse.inspection.weights.weight_types import WeightFacts
    from tflite_sparse.model import Model
    from tflite_sparse.xnnpack.releases.runtimes import Runtime
    from tflite_sparse.xnnpack.releases.targets import Target

__all__ = ["NEAR", "inspect"]

NEAR = 1e-10
"""Bound of magnitude for near zeros: what a bad conversion makes of pruned values is below it."""

# Each thread may hold one decoded weight.
_THREADS = min(4, os.cpu_count() or 1) + 1


def inspect(
    model: Model,
    *,
    near: float = NEAR,
    digest: bool = True,
    gzip: bool | None = None,
    shapes: bool = False,
    targets: Sequence[Target] | None = None,
    zeros: ZeroCounts | None = None,
    progress: Callable[[int, int], None] | None = None,
    input_shapes: Mapping[str, Sequence[int]] | None = None,
    batch: int | None = None,
    releases: Sequence[Runtime] | None = None,
) -> Inspection:
    """Looks at a whole model.

    Args:
        model: a model that was read from a file or from bytes.
        near: bound of magnitude for near zeros.
        digest: whether to compute the SHA-256 of the file.
        targets: the targets of which to say what the runtime does; None for all.
        gzip: whether to compute sizes after gzip; None does so for files up to `GZIP_UP_TO`.
        shapes: whether to count how full blocks of many shapes are.
        zeros: where to keep the zeros that are counted, for those who ask for plans afterwards.
        progress: called with the bytes of weights that are done and the bytes of all.
        input_shapes: shapes of inputs that leave sizes open, by name, "" for the only one; None for
            those that the model is looked at with, see `Model.input_shapes`.
        batch: the first dimension, where that is open.
        releases: the releases of the runtime to hold against those of the targets; None for those
            that are still in use, or none where a target names its own.

    Returns:
        Everything that is known. What is wrong with single weights is among its problems.

    Raises:
        UsageError: there is no such input, or no model of such a size.
    """
    sizes = shapes_asked(model, input_shapes, batch)
    if gzip is None:
        gzip = model.size <= GZIP_UP_TO
    weights = find_weights(model)
    groups = group_by_data(model, weights)
    zeros = zeros or ZeroCounts()
    # What takes long is done in numpy, zlib and hashlib, which let other threads run.
    with ThreadPoolExecutor(max_workers=_THREADS) as pool:
        digesting = pool.submit(sha256, file_bytes(model)) if digest else None
        compressing = pool.submit(gzip_size, file_bytes(model)) if gzip else None
        examining = pool.map(partial(consider_data, zeros=zeros, near=near, shapes=shapes), groups)
        # The threads count while this one loads the model of the runtime.
        from tflite_sparse.inspection import runtime as planning
        from tflite_sparse.inspection.older_releases import older_releases

        groups = list(_watched(examining, groups, progress))
        problems = [item.problem for group in groups for item in group.examined if item.problem]
        try:
            settle_all(model, groups, zeros)
        except (EncodingError, ModelError) as error:
            problems = problems or [problem_of(error)]
        # The runtime is not asked about a model that it could not load.
        runtime: tuple[TargetGroup, ...] = ()
        older: tuple[OlderRelease, ...] = ()
        if not problems:
            try:
                runtime = planning.plan_groups(model, targets, zeros)
                older = older_releases(model, runtime, targets, releases, zeros)
            except (EncodingError, ModelError) as error:
                problems.append(problem_of(error))
        packing = pool.submit(gzip_size_with, model, _replacements(groups)) if gzip else None
        facts = facts_of(groups)
        runtime = with_hints(model, runtime, facts)
        gzipped = [task.result() if task else None for task in (compressing, packing)]
        inspection = Inspection(
            path=model.name,
            size=model.size,
            sha256=digesting.result() if digesting else None,
            near=near,
            input_shapes=sizes if sizes.inputs else None,
            runtime=runtime,
            file=file_facts(model, weights),
            operators=_operators(model),
            weights=facts,
            totals=_totals(model, facts, *gzipped),
            problems=tuple(problems),
            older=older,
        )
    from tflite_sparse.inspection.if_pruned import with_if_pruned

    return with_if_pruned(model, inspection, zeros)


def _watched(
    considered: Iterable[WeightData],
    groups: list[WeightData],
    progress: Callable[[int, int], None] | None,
) -> Iterator[WeightData]:
    total = sum(group.weight.tensor.buffer.nbytes for group in groups)
    done = 0
    for group in considered:
        yield group
        done += group.weight.tensor.buffer.nbytes
        if progress is not None:
            progress(done, total)


def _replacements(groups: list[WeightData]) -> list[Replacement]:
    """The dense weights that `sparsify` would store sparse."""
    replacements = []
    for group in groups:
        decision = group.decision
        candidate = decision.candidate if decision is not None and decision.is_dense else None
        where = data_range(group.weight.tensor.buffer)
        if candidate is not None and where is not None:
            replacements.append(Replacement(*where, partial(encoded_arrays, candidate)))
    return replacements


def _operators(model: Model) -> tuple[OperatorFacts, ...]:
    return tuple(
        OperatorFacts(
            subgraph=operator.subgraph.index,
            index=operator.index,
            name=operator.name,
            output=readable(operator.outputs[0].name) if operator.outputs else "",
            macs=count,
            pointwise=is_pointwise(operator),
        )
        for operator in model.operators()
        if (count := macs(operator))
    )


def _totals(
    model: Model, facts: tuple[WeightFacts, ...], gzip_now: int | None, gzip_sparse: int | None
) -> Totals:
    pointwise = [weight for weight in facts if weight.pointwise]
    wide = [weight for weight in facts if weight.wide]
    operators = list(model.operators())
    return Totals(
        weight_tensors=len(facts),
        sparse_tensors=sum(weight.storage == "sparse" for weight in facts),
        weights=sum(weight.elements for weight in facts),
        zeros=sum(weight.zeros or 0 for weight in facts),
        near_zeros=sum(weight.near_zeros or 0 for weight in facts),
        pointwise_weights=sum(weight.elements for weight in pointwise),
        pointwise_zeros=sum(weight.zeros or 0 for weight in pointwise),
        macs=sum(map(macs, operators)),
        pointwise_macs=sum(map(macs, filter(is_pointwise, operators))),
        bytes_now=model.size,
        bytes_dense=model.size
        + sum(weight.bytes_dense - weight.bytes_now for weight in facts if weight.bytes_dense),
        bytes_sparse=model.size
        - sum(weight.saving for weight in facts if weight.storage == "dense"),
        gzip_now=gzip_now,
        gzip_sparse=gzip_sparse,
        wide_weights=sum(weight.elements for weight in wide),
        wide_zeros=sum(weight.zeros or 0 for weight in wide),
        wide_macs=sum(map(macs, filter(is_wide, operators))),
        activations=peak_bytes(model),
    )
