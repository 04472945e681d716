"""2xx as well: what is right on the newest release of the runtime, and wrong on an older one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.lint.finding import Hit, Severity, Spot
from tflite_sparse.lint.rule import rule
from tflite_sparse.words.numbers import listing
from tflite_sparse.xnnpack.forecast import forecast
from tflite_sparse.xnnpack.plan_types import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.lint.subject import Subject
    from tflite_sparse.model import Subgraph

_ENDS = {
    Outcome.WRONG_NUMBERS: "wrong numbers, without a message",
    Outcome.LOAD_FAILURE: "the model does not load",
    Outcome.PROCESS_ABORT: "the process aborts",
    Outcome.OUTPUT_SHAPE: "right numbers in another shape",
}


@rule(
    "TFS213",
    "wrong-on-older-release",
    Severity.WARNING,
    what="The model is right on the newest release of the runtime, and not on an older one that"
    " matters: `runtimes` in the configuration or `--runtime` names those, all of LiteRT 2 by"
    " default. Minimum and maximum with a scalar inside a part that runs sparse are wrong before"
    " LiteRT 2.1, fp16 weights with an fp32 bias before 2.1, TANH and GELU on LiteRT 1.0.",
    why="Apps bring runtimes of different age: of the same model, some users get wrong numbers.",
    fix="Let `tflite-sparse optimize --runtime RELEASE` make the model anew from its dense form, or"
    " store the weights dense.",
    command="tflite-sparse optimize --runtime litert-2.0 MODEL -o OUT",
)
def wrong_on_older(subject: Subject) -> Iterator[Hit]:
    """Models that fail on a release that matters."""
    for subgraph in subject.model.subgraphs:
        groups = [g for g in subject.inspection.runtime if g.subgraph == subgraph.index]
        if not any(group.hints for group in groups):
            continue
        well = {
            t.name.partition("@")[0]
            for g in groups
            if not g.elsewhere.is_failure
            for t in g.targets
        }
        yield from _hits(subject, subgraph, well)


def _hits(subject: Subject, subgraph: Subgraph, well: set[str]) -> Iterator[Hit]:
    merged: dict[tuple[Outcome, str, int | None], tuple[list[str], list[str]]] = {}
    for target in subject.releases:
        if target.processor not in well:
            continue
        seen = forecast(subgraph, target, zeros=subject.zeros)
        if seen.failure is not None and seen.reasons:
            why = seen.reasons[0]
            names, releases = merged.setdefault((seen.failure, why.message, why.operator), ([], []))
            names.append(target.name)
            releases.append(target.runtime.name)
    for (outcome, message, operator), (names, releases) in merged.items():
        spot = None if operator is None else Spot.of_operator(subgraph.operators[operator])
        yield Hit(
            f"on {listing(list(dict.fromkeys(releases)))}: {_ENDS[outcome]}: {message}",
            spot,
            {"outcome": outcome.value, "targets": names},
        )
