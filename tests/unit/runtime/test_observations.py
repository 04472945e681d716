"""Results: quantiles, totals and verdicts follow from the data."""

from __future__ import annotations

import msgspec
import pytest

from tflite_sparse.runtime.observations import ExecutedOperator, Profile, RunResult, Timing

SPMM = ExecutedOperator("Convolution (NCHW, F32) SPMM", 3.0, True, 0, 0)
GEMM = ExecutedOperator("Fully Connected (NC, F32) GEMM", 2.0, True, 1, 0)
OUTSIDE = ExecutedOperator("GATHER", 5.0, False, 7, None)


def test_the_median_of_a_timing_is_the_time_in_the_middle():
    timing = Timing("m", "ok", milliseconds=(5.0, 1.0, 3.0))
    assert timing.median == 3.0
    assert (timing.quantile(0.0), timing.quantile(1.0)) == (1.0, 5.0)


def test_quantiles_are_times_that_were_measured():
    timing = Timing("m", "ok", milliseconds=tuple(float(n) for n in range(101)))
    assert (timing.quantile(0.1), timing.median, timing.quantile(0.9)) == (10.0, 50.0, 90.0)


def test_a_timing_without_runs_has_the_median_zero():
    timing = Timing("m", "crashed", "SIGABRT")
    assert not timing.ok
    assert timing.median == 0.0


def test_only_spmm_of_xnnpack_is_sparse():
    assert SPMM.sparse
    assert not GEMM.sparse
    assert not msgspec.structs.replace(SPMM, delegated=False).sparse


def test_a_profile_adds_up_and_tells_xnnpack_from_the_rest():
    profile = Profile("ok", operators=(SPMM, GEMM, OUTSIDE), runs=3)
    assert profile.ok
    assert profile.microseconds == 10.0
    assert profile.delegated == (SPMM.name, GEMM.name)


@pytest.mark.parametrize("status", ["load-failure", "run-failure", "crashed", "timed-out"])
def test_nothing_but_ok_is_ok(status):
    assert not RunResult(status).ok
    assert not Profile(status).ok
    assert not Timing("m", status).ok


def test_results_are_frozen():
    with pytest.raises(AttributeError):
        RunResult("ok").status = "crashed"  # type: ignore[misc]
