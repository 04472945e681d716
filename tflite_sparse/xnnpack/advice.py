"""What to change so that a model that runs dense would run sparse, nearest obstacle first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.xnnpack.results import Change, Role
from tflite_sparse.xnnpack.wording import title

if TYPE_CHECKING:
    from tflite_sparse.xnnpack.clusters import Cluster
    from tflite_sparse.xnnpack.graph import Node
    from tflite_sparse.xnnpack.profit import Tally
    from tflite_sparse.xnnpack.results import Reason
    from tflite_sparse.xnnpack.stages import Part
    from tflite_sparse.xnnpack.targets import Target

__all__ = ["changes"]


def changes(parts: list[Part], target: Target) -> tuple[Change, ...]:
    """The shortest list of changes that would make one cluster run sparse.

    Args:
        parts: the partitions; none of them runs sparse.
        target: the hardware.

    Returns:
        The changes, or nothing where the model has no 1x1 convolution to win with.
    """
    if not target.sparse:
        return (
            Change("target-dense", None,
                   f"run the model on another target: on {target.title} nothing runs sparse"),
        )
    options = [
        (_for_cluster(part, leader, cluster), -part.tallies[leader].parameters)
        for part in parts
        for leader, cluster in part.clusters.by_leader.items()
        if part.tallies[leader].parameters
    ]
    if not options:
        return ()
    best = min(options, key=lambda option: (len(option[0]), option[1]))
    return tuple(best[0])


def _for_cluster(part: Part, leader: int, cluster: Cluster) -> list[Change]:
    tally = part.tallies[leader]
    found = [Change(why.rule, why.operator, _remedy(why)) for why in _first_causes(cluster)]
    if not any(part.clusters.roles[n.number].role is Role.ENTRY for n in cluster.members) and (
        not found
    ):
        found.append(Change("cluster-input", None, "begin with a 3x3 stride-2 convolution of 3 "
                            "channels that pads 1 on each side"))
    if not part.clusters.has_exit:
        last = cluster.members[-1]
        found.append(_missing_exit(last))
    if not tally.profitable:
        found.append(_missing_zeros(tally))
    if not part.hints:
        found.append(_missing_hint(tally))
    return found


def _first_causes(cluster: Cluster) -> list[Reason]:
    seen: set[tuple[str, str]] = set()
    causes = []
    for why in sorted(cluster.obstacles, key=lambda why: why.operator or 0):
        key = (why.rule, why.found)
        if key not in seen:
            seen.add(key)
            causes.append(why)
    return causes


def _remedy(why: Reason) -> str:
    return why.message


def _missing_exit(last: Node) -> Change:
    return Change(
        "cluster-no-exit", last.operator.index,
        f"end the cluster after {title(last.operator)} with MEAN over height and width, or with "
        "DEPTH_TO_SPACE",
    )


def _missing_zeros(tally: Tally) -> Change:
    share = tally.zeros / tally.parameters
    return Change(
        "profit-zeros", tally.filters[0].operator.index,
        f"set {tally.margin:,} more of the cluster's {tally.parameters:,} 1x1 weights to zero: "
        f"{share:.1%} are, more than two thirds must be",
    )


def _missing_hint(tally: Tally) -> Change:
    operator = max(
        tally.filters, key=lambda n: tally.facts[n.number].zeros if n.number in tally.facts else 0
    ).operator
    return Change(
        "hint-none", operator.index,
        f"store the filter of {title(operator)} sparse, behind a DENSIFY: one such weight makes "
        "the runtime look for zeros",
    )
