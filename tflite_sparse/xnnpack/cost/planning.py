"""By what alternatives are compared: the prices of the targets that a model is made for.

Times decide, as measured in WebAssembly, which stand in for those of other processors. A model that
is made for 64-bit Arm, but not for all the usual targets, is planned by the instructions that it
takes there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.xnnpack.cost.estimate import estimate
from tflite_sparse.xnnpack.cost.instruction_prices import PRICES
from tflite_sparse.xnnpack.cost.instructions import has_prices, instructions, multiplied
from tflite_sparse.xnnpack.cost.prices import (
    COSTS,
    PER_INSTRUCTION,
    PLANNED_ON,
    Costs,
    costs_of,
    multiplication,
)
from tflite_sparse.xnnpack.plan_types import Outcome
from tflite_sparse.xnnpack.releases.targets import USUAL

if TYPE_CHECKING:
    from tflite_sparse.model import Operator, Subgraph
    from tflite_sparse.xnnpack.plan import Plan
    from tflite_sparse.xnnpack.plan_types import OperatorPlan

__all__ = ["Planning"]

_MEASURED = "wasm"
_NS_PER_MS = 1e6


class Planning(msgspec.Struct, frozen=True):
    """What alternatives are compared by.

    Attributes:
        targets: names of the targets that a model is made for.
    """

    targets: tuple[str, ...] = USUAL

    def counts(self, target: str) -> bool:
        """Whether instructions are what a run costs on a target, not nanoseconds."""
        usual = {name.partition("@")[0] for name in self.targets} == set(USUAL)
        return not usual and target.partition("@")[0] in PER_INSTRUCTION

    def costs(self, target: str) -> Costs:
        """The prices on a target, in nanoseconds or in instructions."""
        return (
            PER_INSTRUCTION[target.partition("@")[0]] if self.counts(target) else costs_of(target)
        )

    @property
    def together(self) -> Costs:
        """Prices for all targets: the mean of theirs, by a multiplication of a dense product."""
        each = [self.costs(name) for name in self.targets if self.counts(name)]
        if not each:
            return COSTS[_MEASURED]
        if len(each) == len(self.targets) == 1:
            return each[0]
        each += [COSTS[_MEASURED]] * (len(self.targets) - len(each))
        fields = [name for name in Costs.__struct_fields__ if name != "measured"]
        mean = {
            name: sum(getattr(costs, name) / costs.dense for costs in each) / len(each)
            for name in fields
        }
        return Costs(**mean, measured="; ".join(dict.fromkeys(costs.measured for costs in each)))

    def run(self, plan: Plan, subgraph: Subgraph) -> tuple[float, float] | None:
        """What a run costs on the target of a plan: (with dense weights, as planned).

        Returns:
            Nanoseconds or instructions, to compare with others on the same target; None where the
            model does not run right, or no number would do.
        """
        if plan.verdict.elsewhere not in (Outcome.SPARSE, Outcome.DENSE):
            return None
        name = plan.target.name
        try:
            if self.counts(name) and has_prices(subgraph):
                return instructions(plan, subgraph, PRICES[PLANNED_ON])
        except OverflowError:
            return None
        time = estimate(plan, subgraph, costs_of(name))
        if time is None:
            return None
        return time.dense_ms * _NS_PER_MS, time.planned_ms * _NS_PER_MS

    def kept(self, target: str, op: OperatorPlan, operator: Operator, block: int) -> float:
        """What the multiplications of a sparse convolution cost if no weight were zero.

        Args:
            target: name of the target.
            op: the plan of the convolution.
            operator: the convolution.
            block: output channels that a kernel computes together.
        """
        if self.counts(target):
            return multiplied(op, operator, block, PRICES[PLANNED_ON])
        return op.macs * multiplication(self.costs(target), block)
