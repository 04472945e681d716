"""Adapted architectures compute the same on either path, and run as the plan says."""

from __future__ import annotations

import numpy as np
import pytest

from tests.end_to_end.adapted.proof import adapted, as_planned, largest_difference
from tests.end_to_end.adapted.subjects import Subject
from tests.support.architectures import ARCHITECTURES, build
from tflite_sparse.model import Model
from tflite_sparse.rewrite.adapt.options import AdaptOptions
from tflite_sparse.runtime.inputs import input_specs, random_inputs
from tflite_sparse.runtime.litert.driver import profile_many, run, run_many
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.plan_types import Outcome

BATCH = 5
# Sums in another order: twenty steps of single precision, of the largest value of an output.
LARGEST = 20 * 2**-23
STORAGES = ("fp16", "sparse", "fp16-sparse")
CASES = [
    *((name, "dense") for name in ARCHITECTURES if not name.endswith("fp16")),
    *((name, storage) for name in ("mobilenet_v1", "lraspp", "siamese") for storage in STORAGES),
]


class Case:
    """A small model, adapted wherever more of it runs sparse, whatever that costs."""

    def __init__(self, name: str, storage: str) -> None:
        architecture = ARCHITECTURES[name]
        self.name = f"{name} {storage}"
        self.dense = build(name, small=True, storage=storage)
        self.made, self.why = adapted(self.dense, AdaptOptions(min_gain=0))
        low, high = architecture.low, architecture.high
        self.feeds = Subject(name, "built", lambda: self.dense, low, high).feeds()

    @property
    def outcome(self) -> Outcome:
        return plan(Model.read(self.made).subgraphs[0], "x86-noavx").outcome


def described(model: Model) -> list:
    """What a caller sees: signatures, inputs and outputs with their names, shapes and types."""
    return [
        [(s.key, [k for k, _ in s.inputs], [k for k, _ in s.outputs]) for s in model.signatures],
        *(
            [(t.name, t.shape, t.type, t.shape_signature) for t in (*graph.inputs, *graph.outputs)]
            for graph in model.subgraphs
        ),
        sorted(entry["name"] for entry in model.table["metadata"]),
    ]


@pytest.mark.parametrize("first", range(0, len(CASES), BATCH))
def test_adapted_architectures_compute_the_same_and_look_the_same(first):
    cases = [Case(*case) for case in CASES[first : first + BATCH]]
    made = [(case.made, case.feeds) for case in cases]
    wanted = list(run_many((case.dense, case.feeds) for case in cases))
    native = list(run_many(made))
    emulated = list(run_many(made, emulate=True, timeout=300))
    profiles = list(profile_many((case.made for case in cases), emulate=True, timeout=300))
    for case, right, *found, seen in zip(cases, wanted, native, emulated, profiles, strict=True):
        assert case.outcome is Outcome.SPARSE, case.name
        assert as_planned(case.made, seen), case.name
        assert described(Model.read(case.made)) == described(Model.read(case.dense)), case.name
        for result in found:
            difference = largest_difference(right, result)
            assert difference is not None, (case.name, result.detail)
            assert difference < LARGEST, case.name


def test_every_subgraph_is_adapted():
    case = Case("two_subgraphs", "dense")
    model = Model.read(case.dense)
    for key, subgraph in zip(("classify", "segment"), Model.read(case.made).subgraphs, strict=True):
        assert plan(subgraph, "x86-noavx").outcome is Outcome.SPARSE
        feeds = random_inputs(input_specs(model, key), 1)
        right = run(case.dense, feeds, signature=key)
        for emulate in (False, True):
            found = run(case.made, feeds, signature=key, emulate=emulate)
            assert largest_difference(right, found) < LARGEST


@pytest.mark.parametrize("name", ["mobilenet_v2", "lraspp", "pyramid", "super_resolution"])
def test_the_batch_may_still_be_changed(name):
    case = Case(name, "dense")
    feeds = [{key: np.concatenate([x, x[:, ::-1], -x]) for key, x in case.feeds[0].items()}]
    right = run(case.dense, feeds)
    assert next(iter(right.trials[0].values())).shape[0] == 3
    for emulate in (False, True):
        difference = largest_difference(right, run(case.made, feeds, emulate=emulate))
        assert difference is not None
        assert difference < LARGEST
