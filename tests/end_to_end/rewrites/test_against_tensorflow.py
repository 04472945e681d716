"""sparsify against TensorFlow's own path from file to file, on the same models.

Where TensorFlow's result loads, so does ours; both hold the same weights, and ours takes no more
bytes wherever anything is stored sparse. TensorFlow is installed where it is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.docs.make_testdata import MODELS
from tests.support.nets.builder import ModelBuilder
from tests.support.peers.environments import mlir_sparsify
from tests.support.real_models import all_real_models, real_model
from tflite_sparse.lint.engine import lint
from tflite_sparse.lint.rule import all_rules
from tflite_sparse.lint.settings import Settings
from tflite_sparse.model import Model
from tflite_sparse.model.sparse import decoded
from tflite_sparse.rewrite.storage.densify import densify
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.rewrite.writing.save import save
from tflite_sparse.runtime.bench import bench
from tflite_sparse.runtime.compare_outputs import Tolerance, compare_output, paired
from tflite_sparse.runtime.inputs import input_specs, random_inputs
from tflite_sparse.runtime.litert.driver import run_many

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tflite_sparse.runtime.litert.driver import Backend

pytestmark = pytest.mark.slow

# Their operators are not in TensorFlow; its path keeps them, but nothing runs the result.
CUSTOM = {"face_landmark_with_attention", "selfie_segmentation", "selfie_segmentation_landscape"}


def built(storage: str, zeros: float) -> bytes:
    """A small net of every operator whose weights TensorFlow stores sparse."""
    builder = ModelBuilder(seed=5)
    g = builder.graph()
    x = g.conv2d(g.pad_spatial(g.input((1, 16, 16, 3))), 16, 3, 2, "VALID")
    x = g.conv2d(x, 64, zeros=zeros, storage=storage)
    x = g.conv2d(g.depthwise(x), 48, kernel=3, zeros=zeros, storage=storage)
    g.output(g.fully_connected(g.mean(x), 40, zeros=zeros, storage=storage))
    return builder.build()


def sources() -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Models by name, before their weights are stored dense."""
    for name in sorted(set(all_real_models()) - CUSTOM):
        yield name, real_model(name).read_bytes
    for name, make in MODELS.items():
        yield name, make
    for storage in ("dense", "fp16", "int8"):
        for zeros in (0.35, 0.8):
            yield f"{storage}-{zeros}", lambda s=storage, z=zeros: built(s, z)


NAMES = [name for name, _ in sources()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For each model NAME.dense, NAME.ours and NAME.theirs."""
    made = tmp_path_factory.mktemp("tensorflow")
    for name, make in sources():
        save(densify(Model.read(make())), made / f"{name}.dense")
        save(sparsify(Model.read(made / f"{name}.dense")), made / f"{name}.ours")
    mlir_sparsify([(made / f"{name}.dense", made / f"{name}.theirs") for name in NAMES])
    return made


def weights(path: Path) -> dict[str, np.ndarray]:
    """The constants that operators read, dense, by the place of the operand among the operators.

    TensorFlow gives tensors other numbers, and operators that unpack weights come and go.
    """
    model = Model.read(path)
    densify(model)
    found = {}
    for number, operator in enumerate(model.operators()):
        for operand, tensor in enumerate(operator.inputs):
            values = None if tensor is None else decoded(tensor)
            if values is not None:
                found[f"{number} {operator.name} {operand}"] = values
    return found


@pytest.mark.parametrize("name", NAMES)
def test_both_hold_the_same_weights(name: str, folder: Path) -> None:
    ours, theirs = weights(folder / f"{name}.ours"), weights(folder / f"{name}.theirs")
    dense = weights(folder / f"{name}.dense")
    assert sorted(ours) == sorted(dense)
    assert all(np.array_equal(ours[key], dense[key], equal_nan=True) for key in dense)
    # Their optimizer may fold or merge a constant; each large one of theirs is one of ours.
    mine = {_key(values) for values in ours.values()}
    large = [values for values in theirs.values() if values.size >= 64]
    assert large
    assert [values.shape for values in large if _key(values) not in mine] == []


def _key(values: np.ndarray) -> tuple[object, ...]:
    """What two arrays share that are the same; -0.0 and 0.0 are."""
    return values.shape, values.dtype, (values + np.zeros((), values.dtype)).tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_ours_is_smaller_where_anything_is_stored_sparse(name: str, folder: Path) -> None:
    sizes = {
        kind: (folder / f"{name}.{kind}").stat().st_size for kind in ("dense", "ours", "theirs")
    }
    assert sizes["ours"] <= sizes["dense"]
    if any(
        t.sparsity is not None
        for g in Model.read(folder / f"{name}.ours").subgraphs
        for t in g.tensors
    ):
        assert sizes["ours"] < sizes["theirs"]


@pytest.mark.parametrize("backend", ["xnnpack", "reference"])
def test_ours_runs_wherever_theirs_does(backend: Backend, folder: Path) -> None:
    jobs = []
    for name in NAMES:
        feeds = random_inputs(input_specs(Model.read(folder / f"{name}.dense")), 1)
        jobs += [(folder / f"{name}.{kind}", feeds) for kind in ("dense", "ours", "theirs")]
    results = list(run_many(jobs, backend=backend, timeout=120))
    for number, name in enumerate(NAMES):
        dense, ours, theirs = results[3 * number : 3 * number + 3]
        assert dense.ok, (name, dense.detail)
        assert ours.ok, (name, ours.detail)
        pairs, problem = paired(dense.trials, ours.trials)
        assert not problem
        assert all(compare_output(key, a, b, Tolerance()).within for key, a, b in pairs), name
        if theirs.ok:
            pairs, problem = paired(ours.trials, theirs.trials)
            assert not problem


def test_ours_runs_in_the_browser_as_theirs_does(folder: Path) -> None:
    for name in ("pose_detection", "mobilenet_tiny_80.tflite", "fp16-0.8"):
        paths = []
        for kind in ("dense", "ours", "theirs"):
            path = folder / f"{name}.{kind}"
            paths.append(str(path.rename(path.with_name(f"{path.name}.tflite"))))
        found = bench(paths, where="web", runs=3, warmup=1, timeout=120)
        dense, ours, theirs = found.models
        assert theirs.ok, theirs.detail
        assert dense.ok, dense.detail
        assert ours.ok, ours.detail
        assert ours.within
        # Lint knows of theirs, without running it, whether a browser computes something else.
        report = lint(theirs.path, Settings(enabled=frozenset(r.code for r in all_rules())))
        wrong = {f.code for f in report.findings if f.severity.label == "error"}
        assert theirs.within == (not wrong), wrong
