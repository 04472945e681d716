"""The plan says of every case what each release was recorded to do with it."""

from __future__ import annotations

import pytest

from tests.runtime_model.cases import CASES, possible
from tests.runtime_model.releases.agree import EXCEPTIONS, disagreements
from tests.runtime_model.releases.observe import observe_release
from tests.runtime_model.releases.places import PLACES
from tests.runtime_model.releases.record import recorded
from tests.runtime_model.releases.wheels import INSTALLED
from tests.support.emulator import needs_emulator
from tflite_sparse.xnnpack.plan_types import Outcome
from tflite_sparse.xnnpack.releases.runtimes import DEFAULT_RUNTIME, RUNTIMES, release_of

OLD = "1.3.0"
# One for each way in which the release differs from the newest.
LIVE = (
    "elementwise.maximum_with_a_scalar",
    "pointwise.mean_and_one",
    "thresholds.dense_classifier_is_outside_the_cluster",
    "hints.half_precision_filter",
    "entry.pad_one_on_each_side",
)


@pytest.mark.parametrize("release", PLACES)
def test_plan_has_the_recorded_outcomes(release: str) -> None:
    explained = {name for where, name in EXCEPTIONS if where == release}
    assert set(disagreements(release)) == explained


def test_every_case_is_recorded_on_every_release() -> None:
    assert list(recorded()) == list(CASES)
    assert all(list(by_release) == list(PLACES) for by_release in recorded().values())


def test_every_release_that_is_modelled_is_recorded() -> None:
    modelled = {(entry.name, version) for entry in RUNTIMES for version in entry.versions}
    known = {(place.release.name, place.version) for place in PLACES.values()}
    assert modelled == {*known, (DEFAULT_RUNTIME.name, INSTALLED)}
    assert release_of(INSTALLED) == DEFAULT_RUNTIME


@needs_emulator
def test_recorded_outcomes_are_those_of_an_old_release() -> None:
    told = [recorded()[name][OLD] for name in LIVE]
    seen = observe_release([CASES[name].build() for name in LIVE], OLD)
    assert [outcome and outcome.value for outcome in seen] == told
    assert len(set(told)) > 1


@needs_emulator
def test_numbers_alone_tell_sparse_from_dense_as_the_profiler_does() -> None:
    seen = observe_release([CASES[name].build() for name in LIVE], INSTALLED)
    for name, outcome in zip(LIVE, seen, strict=True):
        assert outcome in possible(CASES[name].expect)
    assert Outcome.SPARSE in {CASES[name].expect for name in LIVE}
