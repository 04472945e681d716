"""Prints the share of cases that the plan is right on, by release.

Run it by python -m tests.runtime_model.releases.agree.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from tests.runtime_model.cases import CASES, possible
from tests.runtime_model.releases.places import PLACES
from tests.runtime_model.releases.record import recorded
from tflite_sparse.model import Model
from tflite_sparse.model.zero_counts import ZeroCounts
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.plan_types import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.runtime_model.cases import Case
    from tests.runtime_model.releases.places import Place

__all__ = ["EXCEPTIONS", "disagreements", "planned_outcome"]

_ZEROS = ZeroCounts()

_ROOM = "the memory of WebAssembly goes on behind a filter, so that nothing ends the page"

_AXES = "it reads past its table of axes, where on 64-bit Arm other values lie"

_SHAPE = "LiteRT.js gives the output the shape that the file states"

EXCEPTIONS: Mapping[tuple[str, str], str] = {
    **{
        (place.name, "other.quantized_classifier_that_is_large"): _ROOM
        for place in PLACES.values()
        if place.release.browser
    },
    ("2.0.3-arm64", "ends.mean_over_everything"): _AXES,
    ("litertjs-2.5.3", "ends.mean_kept_as_output"): _SHAPE,
}
"""Cases in which the plan does not say what a release does, by release and name, and why."""


@cache
def planned_outcome(case: Case, place: Place) -> Outcome:
    """What the plan says of a case on a release."""
    return plan(_model(case).main, place.target, runtime=place.release, zeros=_ZEROS).outcome


@cache
def _model(case: Case) -> Model:
    return Model.read(case.build())


def disagreements(release: str) -> dict[str, tuple[Outcome, Outcome]]:
    """Names of cases -> what the plan says and what was seen, where these differ."""
    result = {}
    for name, by_release in recorded().items():
        seen = by_release[release]
        if seen is None:
            continue
        said = planned_outcome(CASES[name], PLACES[release])
        may_be_seen = possible(said)
        if PLACES[release].release.browser and said is Outcome.LOAD_FAILURE:
            # It is told on the console, and a run resolves with whatever was in memory.
            may_be_seen = {said, Outcome.WRONG_NUMBERS}
        if Outcome(seen) not in may_be_seen:
            result[name] = (said, Outcome(seen))
    return result


def main() -> None:
    """Prints a line for each release, and one for each case on which the plan is wrong."""
    told = recorded()
    for release in PLACES:
        different = disagreements(release)
        compared = sum(told[name][release] is not None for name in told)
        agreed = compared - len(different)
        line = f"{release}: {agreed} of {compared} agree ({agreed / compared:.1%})"
        print(line + f", {len(told) - compared} are wrong there with dense weights too")  # noqa: T201
        for name, (said, seen) in different.items():
            why = EXCEPTIONS.get((release, name), "NOT EXPLAINED")
            print(f"  {name}: planned {said.value}, seen {seen.value}: {why}")  # noqa: T201


if __name__ == "__main__":
    main()
