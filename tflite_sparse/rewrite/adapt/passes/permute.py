"""Pass `permute`: puts output channels in an order whose kernels are fast on the targets.

The runtime computes 2 or 4 neighbouring output channels together where their zeros lie in the same
places, and which kernel is faster depends on the processor (`xnnpack.cost.prices`). The channels of
a map may lie in any order as long as all that works on them follows: biases, depthwise filters,
constants, what is added to the map, and the input channels of the filters that read it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from tflite_sparse.rewrite.adapt.adaptation import Step
from tflite_sparse.rewrite.adapt.channels.choose import Runs, choose
from tflite_sparse.rewrite.adapt.channels.classes import channel_classes
from tflite_sparse.rewrite.adapt.passes.adapt_pass import AdaptPass
from tflite_sparse.rewrite.adapt.passes.names import PassName
from tflite_sparse.words.numbers import count_of, listing
from tflite_sparse.xnnpack.cost.prices import multiplication

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tflite_sparse.model import Model, Operator
    from tflite_sparse.rewrite.adapt.channels.choose import Choice

__all__ = ["PERMUTE", "Planned"]


class Planned(NamedTuple):
    """A model of which it is known how it runs.

    Attributes:
        model: the model, with dense weights.
        runs: how it runs on each target that it is made for.
        labels: what operators were called in the original model.
        least: how many times faster it has to become.
    """

    model: Model
    runs: Sequence[Runs]
    labels: Mapping[Operator, str]
    least: float


class Permute(AdaptPass[Planned]):
    """Puts output channels in an order that is faster, where enough comes of it."""

    name = PassName.PERMUTE
    summary = "put output channels in an order whose sparse kernels are fast on the targets"
    detail = (
        "Zeros in blocks of output channels make the runtime compute 2 or 4 channels at once, which"
        " is slow where these kernels are scalar (wasm, armv7) and fast on arm64. The order of"
        " channels breaks blocks or brings channels with like zeros together, as the prices of the"
        " asked targets say; everything between two convolutions that works on channels follows."
        " What the caller sees, and what mixes channels, keeps its order."
    )
    cost = "nothing; broken blocks take more bytes"
    exact = "sums in another order"

    def apply(self, subject: Planned) -> tuple[Step, ...]:
        """Looks for orders only where a filter would be faster in another kernel."""
        runs = [run for run in subject.runs if run.kernels and run.cost > 0]
        if not _may_win(runs):
            return ()
        chosen = []
        for channels in channel_classes(subject.model):
            choice = choose(channels, runs)
            if choice is not None:
                chosen.append((channels, choice))
        if _gain([choice for _, choice in chosen], runs) < subject.least:
            return ()
        steps = []
        for channels, choice in chosen:
            for follower in channels.followers:
                follower.reorder(choice.order)
            steps.append(_step(choice, subject.labels))
        return tuple(steps)


PERMUTE = Permute()


def _may_win(runs: Sequence[Runs]) -> bool:
    """Whether another kernel is cheaper than one that runs, on any of the targets."""
    for run in runs:
        cheapest = min(multiplication(run.costs, width) for width in run.target.blocks)
        if any(multiplication(run.costs, kernel) > cheapest for kernel in run.kernels.values()):
            return True
    return False


def _gain(choices: Sequence[Choice], runs: Sequence[Runs]) -> float:
    """How many times faster a run becomes, in the geometric mean over the targets."""
    if not choices:
        return 0.0
    logs = [
        math.log(run.cost / (run.cost - sum(choice.saved[run.target.name] for choice in choices)))
        for run in runs
    ]
    return math.exp(sum(logs) / len(logs))


def _step(choice: Choice, labels: Mapping[Operator, str]) -> Step:
    first = choice.filters[0]
    others = len(choice.filters) - 1
    what = f"puts its {len(choice.order)} output channels in another order"
    if others:
        what += f", and {count_of(others, 'convolution')} with it"
    names = [name for name, saved in choice.saved.items() if saved > 0]
    if choice.kernel > 1:
        why = f"the kernel for {choice.kernel} channels at once is slower on {listing(names)}"
    else:
        why = f"channels with zeros in the same places run two at once on {listing(names)}"
    losers = [name for name, saved in choice.saved.items() if saved < 0]
    if losers:
        why += f", at the price of {listing(losers)}"
    return Step(first.subgraph.index, PERMUTE.name, labels.get(first, first.label), what, why, 0, 0)
