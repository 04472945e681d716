"""Which 1x1 convolutions run sparse in kernels for blocks that are slow on a target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.xnnpack.cost.prices import slow_kernels

if TYPE_CHECKING:
    from tflite_sparse.inspection.runtime_types import TargetGroup

__all__ = ["slow_blocks_of"]

_LEAST_SHARE = 0.05


def slow_blocks_of(group: TargetGroup) -> dict[tuple[str, ...], tuple[int, ...]]:
    """The operators of a group that run in such kernels, by the targets on which they are slow.

    Args:
        group: what the runtime does on some targets.

    Returns:
        Names of targets -> indices of operators; nothing where they do little of the sparse work.
    """
    merged: dict[tuple[int, ...], list[str]] = {}
    for target in group.targets:
        slow = slow_kernels(target.name)
        operators = [op for op in group.operators if op.kernel in slow]
        if sum(op.macs for op in operators) >= _LEAST_SHARE * max(group.sparse_macs, 1):
            merged.setdefault(tuple(op.index for op in operators), []).append(target.name)
    return {tuple(names): operators for operators, names in merged.items()}
