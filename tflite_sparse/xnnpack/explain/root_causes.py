"""Which faults keep most work from running sparse: those that others follow from come first.

A cluster runs sparse as a whole or not at all, and only from where values enter it: what follows a
fault stays dense with it. So faults are ordered by the work that could run sparse if they alone
were mended, and by that which could not if all others were.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from tflite_sparse.model.weights import is_pointwise

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from tflite_sparse.model import Operator, Tensor

__all__ = ["LEAST_SHARE", "maps_read", "ranked_faults"]

Fault = TypeVar("Fault")

LEAST_SHARE = 0.005
"""Share of the work below which a fault is none to speak of."""

_MAP_RANK = 4


def ranked_faults(
    operators: Sequence[Operator],
    faults: Mapping[Operator, Fault],
    sources: Collection[Tensor],
    work: Mapping[Operator, int],
) -> list[tuple[Fault, float]]:
    """Faults with the share of the work that each keeps dense, alone or with others; most first.

    Args:
        operators: the operators of a subgraph, in the order of execution.
        faults: what is wrong with those that have no sparse form; equal faults are mended together.
        sources: the maps that lie in the sparse layout, or can be brought into it.
        work: the work that is wanted in the sparse layout, by operator.
    """
    total = sum(work.values())
    maps = {op: maps_read(op) for op in operators}
    alike: dict[Fault, set[Operator]] = {}
    for op, fault in faults.items():
        alike.setdefault(fault, set()).add(op)

    def won(broken: Collection[Operator]) -> int:
        inside = set(sources)
        sparse = 0
        for op in operators:
            if op in broken:
                continue
            # A convolution over an image that is mended brings it in.
            enters = op in faults and op.name == "CONV_2D" and not is_pointwise(op)
            if enters or (maps[op] and inside.issuperset(maps[op])):
                sparse += work.get(op, 0)
                inside.update(op.outputs)
        return sparse

    everything, nothing = won(()), won(faults.keys())
    ranked = []
    for fault, members in alike.items():
        alone = won(faults.keys() - members) - nothing
        needed = everything - won(members)
        ranked.append((alone + needed, fault, max(alone, needed) / max(total, 1)))
    ranked.sort(key=lambda entry: -entry[0])
    return [(fault, share) for _, fault, share in ranked]


def maps_read(operator: Operator) -> list[Tensor]:
    """The values of more than one pixel that an operator reads, without constants."""
    return [tensor for tensor in _present(operator.inputs) if _is_spatial(tensor)]


def _present(tensors: Iterable[Tensor | None]) -> list[Tensor]:
    return [tensor for tensor in tensors if tensor is not None and not tensor.is_constant]


def _is_spatial(tensor: Tensor) -> bool:
    return len(tensor.shape) == _MAP_RANK and max(tensor.shape[1:3]) > 1
