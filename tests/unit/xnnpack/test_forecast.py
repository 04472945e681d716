"""A forecast says the same as the plan, which takes much longer."""

from __future__ import annotations

import pytest

from tests.support.nets.random_nets import random_net
from tests.support.nets.random_tangles import random_tangle
from tests.support.real_models import all_real_models, real_model
from tflite_sparse.model import Model, Subgraph
from tflite_sparse.xnnpack.forecast import delegated, forecast
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.plan_types import Outcome
from tflite_sparse.xnnpack.releases.targets import targets

NETS = 100


def check(subgraph: Subgraph, target: str) -> Outcome | None:
    """Holds a forecast against the plan; what goes wrong."""
    made, told = plan(subgraph, target), forecast(subgraph, target)
    outcome = made.verdict.elsewhere
    assert told.failure is (outcome if outcome.is_failure else None)
    assert told.reasons == made.verdict.reasons[len(made.verdict.missing) :]
    assert told.missing == made.verdict.missing
    assert told.failure is not None or told.sparse is (outcome is Outcome.SPARSE)
    taken = {op.index: op.partition for op in made.operators if op.delegated}
    assert told.partitions == taken
    assert delegated(subgraph, target) == set(taken)
    return told.failure


@pytest.mark.parametrize("target", ["arm64", "wasm"])
@pytest.mark.parametrize("name", all_real_models())
def test_a_forecast_agrees_with_the_plan_of_a_real_model(name: str, target: str) -> None:
    check(Model.read(real_model(name)).subgraphs[0], target)


@pytest.fixture(scope="module")
def random_subgraphs() -> list[Subgraph]:
    """Random nets, the same for every target."""
    kinds = (random_net, random_tangle)
    return [Model.read(make(seed)[0]).main for make in kinds for seed in range(NETS)]


@pytest.mark.parametrize("target", [target.name for target in targets()])
def test_a_forecast_agrees_with_the_plan_of_random_nets(
    random_subgraphs: list[Subgraph], target: str
) -> None:
    found = {check(subgraph, target) for subgraph in random_subgraphs}
    # Not every kind of processor has kernels that these nets go wrong with.
    assert found >= ({None, Outcome.WRONG_NUMBERS} if target == "arm64" else {None})
