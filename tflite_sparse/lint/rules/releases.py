"""2xx as well: what is right on the newest release of the runtime, and wrong on an older one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.lint.finding import Hit, Severity, Spot
from tflite_sparse.lint.rule import rule
from tflite_sparse.words.numbers import listing
from tflite_sparse.xnnpack.plan_types import Outcome
from tflite_sparse.xnnpack.releases.runtimes import MAINTAINED, runtime

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tflite_sparse.lint.subject import Subject

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
    for older in subject.inspection.older:
        if not older.outcome.is_failure:
            continue
        operators = subject.model.subgraphs[older.subgraph].operators
        where = listing(list(older.runtimes))
        why = dict.fromkeys(why for why in (older.cause, older.message) if why)
        yield Hit(
            f"on {where}: {_ENDS[older.outcome]}: {'; '.join(why)}",
            None if older.operator is None else Spot.of_operator(operators[older.operator]),
            {"outcome": older.outcome.value, "targets": list(older.targets)},
            command=_command(older.runtimes),
        )


def _command(names: Iterable[str]) -> str:
    """A model that is right on these releases, and on the newest as before."""
    slugs = dict.fromkeys([*(runtime(name).slug for name in names), MAINTAINED[-1].slug])
    options = "".join(f" --runtime {slug}" for slug in slugs)
    return f"tflite-sparse optimize{options} MODEL -o OUT"
