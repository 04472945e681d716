"""`bench` on this machine's LiteRT: times, ratios, failures, text, JSON and picture."""

from __future__ import annotations

import shutil
import xml.etree.ElementTree as ET
from pathlib import Path
from statistics import median

import numpy as np
import pytest

from tests.end_to_end.runtimes.bench.files import put
from tests.support.command import call
from tests.support.docs.make_testdata import FOLDER
from tests.support.measured import measured
from tests.support.nets.builder import ModelBuilder
from tests.support.nets.failing import endless, refused, unknown
from tests.support.real_models import real_model
from tflite_sparse.model import Model
from tflite_sparse.rewrite.storage.densify import densify
from tflite_sparse.runtime.bench import bench
from tflite_sparse.runtime.compare_outputs import Bound
from tflite_sparse.runtime.litert.process import Worker

DENSE = str(FOLDER / "mobilenet_tiny_80.tflite")
SPARSE = str(FOLDER / "mobilenet_tiny_80_sparse.tflite")
SVG = "{http://www.w3.org/2000/svg}"


def chain(layers: int) -> bytes:
    """So many 3x3 convolutions in a row."""
    model = ModelBuilder()
    g = model.graph()
    x = g.input((1, 48, 48, 16))
    for _ in range(layers):
        x = g.conv2d(x, 16, kernel=3)
    g.output(x)
    return model.build()


def test_the_ratio_is_that_of_the_work(tmp_path):
    paths = put(tmp_path, four=chain(4), sixteen=chain(16))
    found = bench(paths, runs=15, warmup=2)
    four, sixteen = found.models
    assert found.ok
    assert four.ratio == 1
    assert sixteen.ratio == sixteen.p10_ms / four.p10_ms

    def ratio() -> float:
        # Of the fastest runs: the others also tell of what else the machine was doing.
        a, b = bench(paths, runs=15, warmup=2).models
        return min(b.milliseconds) / min(a.milliseconds)

    measured(ratio, above=2, below=8)
    for model in found.models:
        assert len(model.milliseconds) == 15
        assert model.p10_ms <= model.median_ms <= model.p90_ms
        assert model.median_ms == median(model.milliseconds)
        assert model.bytes == Path(model.path).stat().st_size


def test_twins_compute_the_same_on_the_dense_path(tmp_path):
    sparse = real_model("face_detection_full_range_sparse")
    dense = Model.read(sparse)
    densify(dense)
    found = bench([*put(tmp_path, dense=dense.to_bytes()), str(sparse)], runs=3, warmup=1)
    assert found.ok
    assert found.models[1].max_difference == 0
    assert found.models[1].within


def test_other_numbers_are_noticed(tmp_path):
    def net(seed: int) -> bytes:
        model = ModelBuilder(seed=seed)
        g = model.graph()
        g.output(g.conv2d(g.input((1, 8, 8, 4)), 4))
        return model.build()

    paths = put(tmp_path, one=net(1), two=net(2))
    assert bench(paths, runs=1).models[1].within is False
    done = call("bench", "--runs", 1, *paths)
    assert "DIFFER" in done.out
    assert done.code == 1
    assert done.err.startswith("tflite-sparse: error: two.tflite computes other numbers than one")
    meant = call("bench", "--runs", 1, "--may-differ", *paths)
    assert (meant.code, meant.err) == (0, "")


def faint(scale: float = 1.0, *, signal: float = 1e-30) -> bytes:
    """A net in which, as by default, what it reads vanishes on the way."""
    model = ModelBuilder(seed=3)
    g = model.graph()
    x = g.conv2d(g.input((1, 8, 8, 4)), 4)
    g.output(g.add(g.mul(x, np.float32(signal * scale)), np.float32(1.0)))
    return model.build()


@pytest.mark.parametrize("where", ["native", "web"])
def test_outputs_that_are_the_same_for_every_input_are_not_called_the_same(tmp_path, where):
    paths = put(tmp_path, one=faint(), other=faint(3.0))
    done = call("bench", "--runs", 1, "--on", where, *paths)
    said = " ".join(done.out.split())
    assert done.code == 0
    assert "same, see below" in said
    assert "is the same for every input: that it agrees proves nothing" in said
    alive = put(tmp_path, alive=faint(signal=1.0), twin=faint(signal=1.0))
    found = bench(alive, where=where, runs=1)
    assert found.constant == ()
    assert found.models[1].within


def test_signatures_of_other_subgraphs_are_named_as_left_out(tmp_path):
    model = ModelBuilder()
    for key in ("first", "second"):
        g = model.graph(key)
        x = g.input((1, 4), name="x")
        y = g.add(x, np.float32(1.0))
        g.output(y)
        model.signature(key, g, {"x": x}, {"y": y})
    path = put(tmp_path, two=model.build())[0]
    said = "ignature 'second' was not"
    assert f"{said} timed" in " ".join(call("bench", path, "--runs", 1).out.split())
    assert f"{said} profiled" in " ".join(call("profile", path, "--runs", 1).out.split())
    assert bench([path], runs=1).models[0].untimed == ("second",)


def test_noise_of_the_first_model_is_no_difference(tmp_path):
    def net(factor: float) -> bytes:
        model = ModelBuilder(seed=1)
        g = model.graph()
        x = g.mul(g.input((64, 256)), (model.rng.uniform(1, 2, 256) * factor).astype(np.float32))
        g.output(g.sub(g.add(x, np.float32(1e4)), np.float32(1e4)))
        return model.build()

    paths = put(tmp_path, one=net(1.0), near=net(1 + 1e-5), far=net(1.01))
    _, near, far = bench(paths, runs=1).models
    assert near.max_difference > 1e-4
    assert (near.within, near.bound, far.within) == (True, Bound.WEIGHTS, False)
    assert near.max_difference <= 2 * near.noise
    text = call("bench", "--runs", 1, *paths).out
    assert "each weight moved by the smallest step" in " ".join(text.split())
    assert text.count("DIFFER") == 1


def test_models_that_fail_are_results_beside_the_others(tmp_path, monkeypatch):
    perform = Worker.perform

    def impatient(self: Worker, task: str, *, timeout: float, **request: object) -> object:
        # The others get their time, on a busy machine too.
        limit = 2.0 if "endless" in str(request.get("model")) else timeout
        return perform(self, task, timeout=limit, **request)

    monkeypatch.setattr(Worker, "perform", impatient)
    paths = put(tmp_path, endless=endless(), refused=refused(), unknown=unknown())
    done = call("bench", DENSE, *paths, SPARSE, "--runs", 2, "--timeout", 600, "--json")
    assert done.code == 1
    models = done.document("bench")["bench"]["models"]
    statuses = [model["status"] for model in models]
    assert statuses == ["ok", "timed-out", "load-failure", "load-failure", "ok"]
    assert [model["median_ms"] is None for model in models] == [False, True, True, True, False]
    assert models[4]["ratio"] > 0
    assert "NobodyHasThisOperator" in models[3]["detail"]


def test_where_all_fail_there_is_still_a_report(tmp_path):
    paths = put(tmp_path, refused=refused(), unknown=unknown())
    picture = tmp_path / "plot.svg"
    done = call("bench", *paths, "--runs", 1, "--plot", picture)
    assert done.code == 1
    assert "load failure" in done.out
    assert "load failure" in picture.read_text("utf-8")


def test_the_text_fits_80_columns(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    shutil.copy(DENSE, "dense.tflite")
    put(tmp_path, a_rather_long_name_for_a_model_that_runs=chain(2), unknown=unknown())
    names = sorted(path.name for path in tmp_path.glob("*.tflite"))
    done = call("bench", *names, "--runs", 2)
    assert "dense.tflite" in done.out
    assert "unknown.tflite: load failure" in done.out
    assert "\x1b" not in done.out
    assert max(map(len, done.out.splitlines())) <= 80


def test_the_picture_has_a_bar_for_each_model_as_long_as_its_time(tmp_path):
    paths = put(tmp_path, **{"a&b <c>": chain(2), "long": chain(12)})
    picture = tmp_path / "plot.svg"
    done = call("bench", *paths, "--runs", 5, "--may-differ", "--plot", picture, "--json")
    assert done.code == 0
    models = done.document("bench")["bench"]["models"]
    root = ET.fromstring(picture.read_text("utf-8"))  # noqa: S314 - the command's own file
    bars = [rect for rect in root.iter(f"{SVG}rect") if rect.get("class") in {"first", "bar"}]
    assert len(bars) == 2
    lengths = [float(bar.get("width")) for bar in bars]
    times = [model["median_ms"] for model in models]
    assert lengths[0] / lengths[1] == pytest.approx(times[0] / times[1], rel=0.02)
    said = " ".join(root.itertext())
    assert "a&b <c>.tflite" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--plot", "plot.gif"], ".svg"),
        (["--plot", "missing/plot.svg"], "folder"),
        (["missing.tflite"], "missing.tflite"),
        (["--on", "web", "--litertjs", "."], "npm install"),
    ],
)
def test_mistakes_exit_2_before_anything_runs(arguments, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = call("bench", DENSE, *arguments)
    assert done.code == 2
    assert said in done.err
    assert done.out == ""
