"""What a comparison of two models says of them, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from msgspec.structs import replace

from tflite_sparse.report.text.verify import verification_lines
from tflite_sparse.runtime.compare_outputs import ROUNDING, Bound, Tolerance, compare_output
from tflite_sparse.runtime.prove import kernels_words, proof_of
from tflite_sparse.runtime.verification import BackendComparison, Verification, WeightComparison
from tflite_sparse.storage.values.options import StoredValues

if TYPE_CHECKING:
    from tflite_sparse.runtime.observations import Status

PROVES_LITTLE = "that they are the same proves little"


def ran(*values: np.ndarray, backend: str = "xnnpack", status: Status = "ok") -> BackendComparison:
    outputs = ()
    if values:
        outputs = (compare_output("y", [values[0]], [values[1]], Tolerance()),)
    return BackendComparison(backend, status, "", status, "", Tolerance(), outputs)


def verification(*backends: BackendComparison, **more: object) -> Verification:
    weights = more.pop("weights", ())
    return Verification("a", "b", weights, 3, (), 1, 0, False, backends, **more)


def text(found: Verification) -> str:
    return " ".join(" ".join(map(str, verification_lines(found, 100))).split())


@pytest.mark.parametrize("same", [True, False])
def test_values_that_are_not_finite_prove_little_where_they_are_the_same(same: bool) -> None:
    values = np.array([1, np.nan], np.float32)
    said = text(verification(ran(values, values if same else np.ones(2, np.float32))))
    assert "values of both models are NaN or infinite" in said
    assert (PROVES_LITTLE in said) is same
    if same:
        words = proof_of(verification(ran(values, values))).words
        assert words.endswith("; values of 'y' are NaN or infinite in both")


def twice(*values: float, other: float = 0.0) -> BackendComparison:
    """A run on two sets of inputs, whose outputs y and z are these; z differs by `other`."""
    compared = tuple(
        compare_output(name, pair, pair, Tolerance())
        for name, pair in zip(
            "yz",
            [[np.float32(v), np.float32(v + i * other)] for i, v in enumerate(values)],
            strict=False,
        )
    )
    return BackendComparison("xnnpack", "ok", "", "ok", "", Tolerance(), compared)


@pytest.mark.parametrize(
    ("run", "words", "verdict"),
    [
        (twice(1.0), "output 'y' is the same for every input: that it agrees", "equal, see below"),
        (twice(1.0, 2.0), "outputs 'y' and 'z' are the same for every", "equal, see below"),
        (twice(1.0, 2.0, other=0.5), "output 'y' is the same for every input", "equal"),
    ],
)
def test_that_outputs_agree_which_are_the_same_for_every_input_proves_nothing(
    run: BackendComparison, words: str, verdict: str
) -> None:
    found = verification(run)
    said = text(found)
    assert said.startswith(f"a against b: {verdict} Weights")
    assert f" But {words}" in said
    assert found.to_dict()["constant"] == list(proof_of(found).constant) != []
    ordinary = np.array([1, 2], np.float32)
    assert "proves nothing" not in text(verification(ran(ordinary, ordinary)))


def test_a_pruned_model_is_said_to_be_pruned_and_a_rounded_or_adapted_one_is_not() -> None:
    other = WeightComparison("w", "CONV_2D", "", 4, 0.5)
    far = ran(np.zeros(2, np.float32), np.ones(2, np.float32))
    said = text(verification(far, weights=(other,), zeroed=1234))
    assert said.startswith("a against b: pruned ")
    assert "1,234 values of weights became zero, on the same graph, as pruning makes it" in said
    assert text(verification(far, weights=(other,))).startswith("a against b: different ")
    changed = replace(verification(far, weights=(other,), zeroed=1234), graph=("PAD #1 is new",))
    assert "1,234 values of weights became zero, on another graph" in text(changed)
    rounded = text(verification(far, weights=(other,), zeroed=12, rounded=StoredValues.INT8))
    assert "Pruned" not in rounded


def test_weights_are_equal_only_where_all_are() -> None:
    assert "not verified; weights equal" in text(verification(ran(status="crashed")))
    other = WeightComparison("w", "CONV_2D", "b", None, None)
    said = text(verification(ran(status="crashed"), weights=(other,), adapted=True))
    assert "not verified" in said
    assert "weights equal" not in said


@pytest.mark.parametrize(
    ("fails", "words"),
    [
        ("", "with XNNPACK and without"),
        ("xnnpack", "without XNNPACK, which runs neither model"),
        ("reference", "with XNNPACK; its reference kernels run neither model"),
    ],
)
def test_kernels_that_run_neither_model_are_named(fails: str, words: str) -> None:
    one = np.ones(2, np.float32)
    backends = [
        ran(backend=name, status="crashed") if name == fails else ran(one, one, backend=name)
        for name in ("xnnpack", "reference")
    ]
    assert kernels_words(verification(*backends)) == words


@pytest.mark.parametrize(
    ("bound", "short", "words"),
    [
        (Bound.KERNELS, "by kernels", "A itself lies 0.002 apart on other kernels"),
        (Bound.WEIGHTS, "by weights", "0.002 apart with each weight moved by one unit"),
    ],
)
def test_the_noise_that_was_the_bound_is_named(bound: Bound, short: str, words: str) -> None:
    one = np.ones(2, np.float32)
    output = compare_output("y", [one], [one * np.float32(1.003)], ROUNDING)
    output = output.against_noise(0.002, bound, ROUNDING)
    found = BackendComparison("xnnpack", "ok", "", "ok", "", ROUNDING, (output,))
    said = text(verification(found))
    assert short in said
    assert words in said
    assert "2 times that is allowed" in said
