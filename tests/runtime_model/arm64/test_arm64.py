"""The plan says of every case what LiteRT executes on Arm, as recorded; of some, as it runs now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.runtime_model.arm64.agree import EXCEPTIONS, disagreement
from tests.runtime_model.arm64.record import RECORDED, observed, recorded
from tests.runtime_model.cases import CASES
from tests.support.command import call
from tflite_sparse.runtime.arm64.processors import PROCESSORS
from tflite_sparse.runtime.packages.bundles import bundle, install

if TYPE_CHECKING:
    from pathlib import Path

LIVE = [
    "entry.pad_one_on_each_side",
    "entry.pad_after_only",
    "other.quantized_classifier_that_is_small",
]
SPARSE = "testdata/mobilenet_tiny_80_sparse.tflite"
DENSE = "testdata/mobilenet_tiny_80.tflite"
ARM64 = ["--emulate", "arm64"]


@pytest.fixture(scope="module")
def arm64() -> None:
    """LiteRT for 64-bit Arm, installed where it is not; without network the error says so."""
    install(bundle("arm64"))


@pytest.mark.parametrize("where", RECORDED)
def test_plan_agrees_with_what_was_recorded(where: str) -> None:
    cases = recorded(where)
    assert list(cases) == [name for name in CASES if name in cases]
    wrong = {name: why for name in cases if (why := disagreement(name, where, cases[name]))}
    assert set(wrong) == {name for at, name in EXCEPTIONS if at == where}, wrong


@pytest.mark.usefixtures("arm64")
def test_some_cases_run_as_recorded() -> None:
    told = recorded("cortex-a76")
    found = dict(zip(LIVE, observed(LIVE, "cortex-a76"), strict=True))
    assert found == {name: told[name] for name in LIVE}


@pytest.mark.usefixtures("arm64")
def test_instructions_of_every_operator_are_counted() -> None:
    done = call("profile", SPARSE, "--emulate", "arm64", "--against-plan", "--runs", 1, "--json")
    assert done.code == 0
    found = done.document("profile")["profile"]
    assert found["plan"]["target"] == "arm64"
    counts = [op["instructions"] for op in found["operators"]]
    assert all(counts)
    assert 0.8 * found["instructions"] < sum(counts) < found["instructions"]


@pytest.mark.usefixtures("arm64")
def test_models_are_compared_by_instructions(tmp_path: Path) -> None:
    picture = tmp_path / "plot.svg"
    done = call("bench", DENSE, SPARSE, "--emulate", "arm64", "--json", "--plot", picture)
    assert done.code == 0
    drawn = picture.read_text("utf-8")
    assert "Instructions of an inference" in drawn
    # There is no spread in what is counted.
    assert 'class="spread" d=' not in drawn
    dense, sparse = done.document("bench")["bench"]["models"]
    assert dense["ratio"] == 1
    assert sparse["instructions"] < 0.7 * dense["instructions"]
    assert sparse["within"]
    assert sparse["median_ms"] is None


def test_half_precision_is_held_against_no_plan_where_a_processor_does_not_compute_in_it() -> None:
    done = call("profile", SPARSE, *ARM64, "--cpu", "cortex-a53", "--fp16", "--against-plan")
    assert done.code == 2
    assert "a Cortex-A53 does not compute in half precision" in done.err
    assert [each.name for each in PROCESSORS if not each.half] == ["cortex-a53"]


def test_what_has_no_counts_is_refused() -> None:
    for words in (["--emulate"], ["--emulate", "arm64", "--on", "web"], [*ARM64, "--runs", 3]):
        done = call("bench", DENSE, *words)
        assert done.code == 2
        assert done.out == ""
