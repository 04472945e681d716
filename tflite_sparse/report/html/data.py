"""What the script of the page knows: the facts behind the picture and the table, as JSON."""

from __future__ import annotations

import base64
import json
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from tflite_sparse.inspection.dispositions import DispositionKind
from tflite_sparse.report.html.dispositions import DISPOSITIONS
from tflite_sparse.report.html.views.pruned import pruned_data
from tflite_sparse.report.text.weights import weight_words
from tflite_sparse.words.addresses import DOCS
from tflite_sparse.words.numbers import (
    count_of,
    listing,
    millions,
    percent,
    shape,
    thousands,
    type_name,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tflite_sparse.inspection.runtime_types import TargetGroup
    from tflite_sparse.inspection.weights.weight_types import WeightFacts
    from tflite_sparse.inspection.weights.zero_maps import ZeroMap
    from tflite_sparse.report.html.pruned import Pruned
    from tflite_sparse.report.html.subject import PageModel, Seen
    from tflite_sparse.xnnpack.plan_types import ClusterPlan, OperatorPlan, Reason

__all__ = ["pack_bits", "pack_levels", "page_data", "script_json"]

_KINDS = list(DispositionKind)
_MOST_OBSTACLES = 3


def page_data(models: Sequence[PageModel], pruned: Sequence[Pruned | None] = ()) -> dict[str, Any]:
    """The facts of all models on the page.

    Args:
        models: the models.
        pruned: what each would be with more zeros; None where that wins nothing.
    """
    return {
        "rules": f"{DOCS}/runtime-model.md",
        "fates": [[kind.value, *DISPOSITIONS[kind]] for kind in _KINDS],
        "models": [
            {
                "ops": [_operator(model, place) for place in range(len(model.operators))],
                "views": [_view(seen) for seen in model.seen],
                "weights": [
                    _weight(model, weight, zero_map)
                    for weight, zero_map in zip(
                        model.inspection.weights, model.survey.maps, strict=True
                    )
                ],
                "pruned": [] if more is None else pruned_data(model, more),
            }
            for model, more in zip_longest(models, pruned)
        ],
    }


def script_json(content: object) -> str:
    """JSON that may stand inside a script element whatever the strings in it are."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def pack_levels(levels: Sequence[int]) -> str:
    """Numbers from 0 to 15, two a byte, the first in the high half, in base 64."""
    even = [*levels, 0] if len(levels) % 2 else list(levels)
    packed = bytes(a << 4 | b for a, b in zip(even[::2], even[1::2], strict=True))
    return base64.b64encode(packed).decode()


def pack_bits(bits: Sequence[bool]) -> str:
    """Bits, eight a byte, the first in the highest place, in base 64."""
    import numpy as np

    return base64.b64encode(np.packbits(np.array(bits, np.bool_)).tobytes()).decode()


def _operator(model: PageModel, place: int) -> list[Any]:
    op = model.operators[place]
    output = op.outputs[0] if op.outputs else None
    return [
        op.index,
        op.name,
        output.name if output else "",
        f"{type_name(output.type)} {shape(output.shape)}" if output else "",
        millions(op.macs) if op.macs else "",
        [model.positions[op.subgraph, source] for source in op.sources],
        model.weights_of.get(place, []),
        int(op.unpacks),
    ]


def _view(seen: Seen) -> dict[str, Any]:
    sentences: dict[tuple[str, str], int] = {}
    why: dict[str, list[int]] = {}
    executed: dict[str, int] = {}
    runs: dict[str, int] = {}
    for place, plan in enumerate(seen.planned):
        if plan is None:
            continue
        group, op = plan
        if op.executed:
            names = ", ".join(op.executed)
            runs[str(place)] = executed.setdefault(names, len(executed))
        numbers = [
            sentences.setdefault(sentence, len(sentences))
            for sentence in _sentences(group, op, seen.dispositions[place])
        ]
        if numbers:
            why[str(place)] = numbers
    return {
        "name": listing([target.name for target in seen.view.targets]),
        "fates": "".join(str(_KINDS.index(kind)) for kind in seen.dispositions),
        "clusters": [-1 if cluster is None else cluster for cluster in seen.clusters],
        "about": [_cluster(cluster) for cluster in seen.cluster_list],
        "on": [int(cluster.sparse) for cluster in seen.cluster_list],
        "blockers": sorted(seen.blockers),
        "sentences": list(sentences),
        "why": why,
        "executed": list(executed),
        "runs": runs,
    }


def _sentences(
    group: TargetGroup, op: OperatorPlan, kind: DispositionKind
) -> Iterator[tuple[str, str]]:
    """What the rules say of an operator, each with the rule's code."""
    for reason in (op.refusal, op.role_refusal):
        if reason is not None:
            yield _reason(reason)
    for step in op.steps:
        yield step.rule, step.summary
    if op.kernel is not None:
        yield "", f"its sparse kernel computes {count_of(op.kernel, 'channel')} at a time"
    if kind is DispositionKind.BLOCKED and op.cluster is not None:
        yield from _given_up(group, group.clusters[op.cluster])


def _given_up(group: TargetGroup, cluster: ClusterPlan) -> Iterator[tuple[str, str]]:
    yield from (_reason(reason) for reason in cluster.obstacles[:_MOST_OBSTACLES])
    if len(cluster.obstacles) > _MOST_OBSTACLES:
        more = count_of(len(cluster.obstacles) - _MOST_OBSTACLES, "obstacle")
        yield "", f"and {more} more in its cluster"
    if not cluster.profitable:
        yield (
            "profit-zeros",
            (
                f"its cluster needs {thousands(cluster.margin)} more zeros: only"
                f" {percent(cluster.zeros, cluster.parameters)} of its 1x1 weights are zero;"
                " more than 66.7 % must be"
            ),
        )
    if not group.hints:
        yield "hint-none", "no weight behind a DENSIFY makes the runtime look for zeros"


def _reason(reason: Reason) -> tuple[str, str]:
    return reason.rule, reason.message


def _cluster(cluster: ClusterPlan) -> str:
    text = f"{count_of(len(cluster.members), 'operator')}"
    if cluster.parameters:
        text += (
            f", {count_of(len(cluster.filters), 'filter')} with"
            f" {percent(cluster.zeros, cluster.parameters)} zeros"
        )
    return f"{text}; {'runs sparse' if cluster.sparse else 'runs dense'}"


def _weight(model: PageModel, weight: WeightFacts, zero_map: ZeroMap | None) -> dict[str, Any]:
    places = [model.positions[use.subgraph, use.operator] for use in weight.uses]
    facts: dict[str, Any] = {
        "name": weight.name,
        "kinds": sorted({use.name for use in weight.uses}),
        "ops": places,
        "storage": weight.storage,
        "words": [pair for pair in weight_words(weight) if pair[0] != "name"],
        "sort": [
            min(places, default=0),
            None if weight.zeros is None else round(weight.zero_share, 4),
            *(round(fill.fill, 4) for fill in weight.blocks),
        ],
        "bytes": [weight.bytes_now, weight.bytes_dense, weight.bytes_sparse, weight.saving],
    }
    if zero_map is not None:
        facts["map"] = {
            "size": [zero_map.rows, zero_map.columns],
            "cell": zero_map.cell,
            "grid": zero_map.grid,
            "density": pack_levels(zero_map.density),
            "corner": zero_map.corner,
            "bits": pack_bits(zero_map.bits),
            "histogram": zero_map.histogram,
            "channels": [
                zero_map.empty,
                zero_map.full,
                round(zero_map.least, 4),
                round(zero_map.most, 4),
            ],
        }
    return facts
