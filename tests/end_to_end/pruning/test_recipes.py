"""`prune --recipe`: which filters a recipe means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.command import Done, call
from tests.support.docs.make_testdata import FOLDER
from tflite_sparse.model import Model
from tflite_sparse.pruning.options import Allocation, Method
from tflite_sparse.pruning.recipe import Recipe, RecipeLayer
from tflite_sparse.storage.values.options import StoredValues

if TYPE_CHECKING:
    from pathlib import Path

MODEL = FOLDER / "mobilenet_tiny_80.tflite"


def test_a_recipe_tells_filters_of_one_name_apart_by_their_operators_or_is_refused(
    tmp_path: Path,
) -> None:
    twins = Model.read(MODEL)
    filters = [t for t in twins.main.tensors if t.name.endswith("/pointwise/filter")]
    for tensor in filters[:2]:
        tensor.table["name"] = "kernel"
    # An operator's output has the name of another filter.
    next(op for op in twins.main.operators if op.name == "CONV_2D").outputs[0].table["name"] = (
        filters[2].name
    )
    twins.main.edited = True
    model, path = tmp_path / "twins.tflite", tmp_path / "recipe.json"
    twins.write(model)
    pruned = call("prune", model, "-n", "--zeros", "0.9", "--json").document("prune")["filters"]
    shares = [0.82 + 0.03 * number for number in range(len(pruned))]  # it has 80 % already

    def told(operators: list[list[str]], count: int = len(pruned)) -> Done:
        layers = tuple(
            RecipeLayer(f["name"], f["elements"], round(share * f["elements"]), tuple(read))
            for f, share, read in [*zip(pruned, shares, operators, strict=True)][:count]
        )
        recipe = Recipe(
            *(1, 64 * "0", 0.9, Method.MAGNITUDE, Allocation.UNIFORM, 1, StoredValues.FP32),
            *((), layers),
        )
        recipe.write(path, overwrite=True)
        return call("prune", model, "-n", "--recipe", path, "--json")

    known = [f["operators"] for f in pruned]
    done = told(known).document("prune")["filters"]
    assert [f["zeros"] / f["elements"] for f in done] == pytest.approx(shares, abs=0.01)
    # The other of two alike has what is left, and names that only one has need no operators.
    done = told([known[0], *([] for _ in known[1:])], 1).document("prune")["filters"]
    assert done[0]["zeros"] / done[0]["elements"] == pytest.approx(shares[0], abs=0.01)
    refused = told([[] for _ in known])
    assert refused.code == 2
    assert "2 weights are called 'kernel', and the recipe does not say which" in refused.err
    refused = told([["CONV_2D #999"], *known[1:]])
    assert refused.code == 2
    assert "no filter called 'kernel' that is pruned is read by CONV_2D #999" in refused.err
