"""Models in a real headless browser: latency, sparse kernels, and how failures are told."""

from __future__ import annotations

import http.client
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from ai_edge_litert.schema_py_generated import CastOptionsT

from tests.end_to_end.runtimes.bench.files import put
from tests.support.command import call
from tests.support.measured import measured
from tests.support.nets.builder import ModelBuilder
from tests.support.nets.failing import aborting, endless, refused, unknown
from tests.support.open_sizes import opened
from tests.support.real_models import real_model
from tflite_sparse.errors import RuntimeUnavailableError, TfliteSparseError
from tflite_sparse.lint.engine import lint
from tflite_sparse.lint.settings import Settings
from tflite_sparse.model import Model
from tflite_sparse.rewrite.storage.densify import densify
from tflite_sparse.runtime.bench import bench
from tflite_sparse.runtime.inputs import input_specs, random_inputs
from tflite_sparse.runtime.litert.driver import run
from tflite_sparse.runtime.packages.package import cache_folder, contents
from tflite_sparse.runtime.web import chromium, driver, litertjs
from tflite_sparse.runtime.web.chromium import find_browser
from tflite_sparse.runtime.web.driver import time_models_on_web
from tflite_sparse.runtime.web.loopback import LoopbackServer
from tflite_sparse.runtime.web.subject import WebSubject

POINTWISE = 512


def wide(zeros: float) -> bytes:
    """An entry and two wide 1x1 convolutions, whose weights decide the time."""
    model = ModelBuilder()
    g = model.graph()
    x = g.conv2d(g.pad_spatial(g.input((1, 64, 64, 3))), 64, 3, 2, "VALID")
    for _ in range(2):
        x = g.conv2d(x, POINTWISE, zeros=zeros, storage="sparse")
    g.output(g.mean(x, axes=(1, 2), keep_dims=False))
    return model.build()


def twins(folder: Path) -> list[str]:
    """The face model with dense and with sparse weights."""
    sparse = real_model("face_detection_full_range_sparse")
    dense = Model.read(sparse)
    densify(dense)
    return [*put(folder, dense=dense.to_bytes()), str(sparse)]


def test_sparse_kernels_run_in_the_browser(tmp_path):
    # The same nets with enough zeros and without: only sparse kernels make such a difference.
    paths = put(tmp_path, filled=wide(0.5), empty=wide(0.98))

    def gain() -> float:
        found = bench(paths, where="web", runs=15)
        assert found.ok
        # The fastest runs: the others also tell of what else the machine was doing.
        filled, empty = (min(model.milliseconds) for model in found.models)
        return filled / empty

    measured(gain, above=1.6)


def test_the_face_model_computes_the_same_with_dense_and_with_sparse_weights(tmp_path):
    found = bench(twins(tmp_path), where="web", runs=5)
    dense, sparse = found.models
    assert (dense.status, sparse.status) == ("ok", "ok")
    assert sparse.bytes < 0.7 * dense.bytes
    assert sparse.within
    # Other kernels ran: they add up in another order.
    assert sparse.max_difference > 0
    assert len(dense.milliseconds) == len(sparse.milliseconds) == 5
    assert "Chrom" in found.runtime
    assert litertjs.CORE.version in found.runtime


def test_the_browser_computes_what_litert_computes_here(tmp_path):
    path = twins(tmp_path)[0]
    feeds = random_inputs(input_specs(Model.read(path)), 1)
    web = time_models_on_web([Model.read(path)], feeds, runs=1).timings[0]
    here = run(path, feeds).trials[0]
    assert web.ok
    assert len(web.outputs) == len(here)
    for value in web.outputs.values():
        twin = next(other for other in here.values() if other.shape == value.shape)
        assert np.allclose(value, twin, rtol=1e-3, atol=1e-3)


def test_models_that_fail_are_results_and_leave_the_others_alone(tmp_path, monkeypatch):
    class Impatient(driver._Runner):
        # The others get their time, on a busy machine too.
        def __init__(self, path: str, request: dict, seconds: float) -> None:
            super().__init__(path, request, 3.0 if "endless" in path else seconds)

    monkeypatch.setattr(driver, "_Runner", Impatient)
    paths = put(
        tmp_path,
        fine=wide(0.9),
        aborting=aborting(),
        endless=endless(),
        refused=refused(),
        unknown=unknown(),
        again=wide(0.9),
    )
    done = call("bench", "--on", "web", "--runs", 3, "--timeout", 600, "--json", *paths)
    assert done.code == 1
    models = done.document("bench")["bench"]["models"]
    statuses = {Path(model["path"]).stem: model["status"] for model in models}
    assert statuses == {
        "fine": "ok",
        "aborting": "crashed",
        "endless": "timed-out",
        "refused": "run-failure",
        "unknown": "run-failure",
        "again": "ok",
    }
    details = {Path(model["path"]).stem: model["detail"] for model in models}
    assert "NobodyHasThisOperator" in details["unknown"]
    assert models[-1]["max_difference"] == 0


def test_several_threads_run(tmp_path):
    found = bench(put(tmp_path, wide=wide(0.9)), where="web", runs=2, threads=2)
    assert found.ok
    assert found.threads == 2


def test_a_named_folder_serves_litertjs(tmp_path):
    home = tmp_path / "node_modules"
    for package in (litertjs.CORE, litertjs.WASM_UTILS):
        for path, data in contents(package).items():
            target = home / package.name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
    (model,) = put(tmp_path, wide=wide(0.9))
    assert call("bench", "--on", "web", "--runs", 1, "--litertjs", tmp_path, model).code == 0


def test_the_archives_stay_in_the_cache():
    contents(litertjs.CORE)
    assert (cache_folder() / litertjs.CORE.file).is_file()


def test_the_server_is_gone_after_its_block():
    with LoopbackServer({"page.html": b"<p>here</p>"}) as server:
        url = urlsplit(server.url)
        assert url.hostname == "127.0.0.1"
        connection = http.client.HTTPConnection(url.netloc)
        for path, status in ((url.path + "page.html", 200), (url.path, 404), ("/page.html", 404)):
            connection.request("GET", path)
            with connection.getresponse() as answer:
                assert answer.status == status
                body = answer.read()
                assert (body == b"<p>here</p>") == (status == 200)
            connection.close()
    with pytest.raises(ConnectionRefusedError):
        http.client.HTTPConnection(url.netloc).connect()


def test_a_program_that_is_no_browser_is_an_error(tmp_path):
    (model,) = put(tmp_path, wide=wide(0.9))
    with pytest.raises(RuntimeUnavailableError, match="does not start"):
        bench([model], where="web", browser="true")
    done = call("bench", "--on", "web", "--browser", tmp_path / "none", model)
    assert done.code == 2
    assert "--browser" in done.err


def test_the_browser_that_the_environment_names_is_taken(monkeypatch):
    there = find_browser()
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("CHROME_PATH", there)
    assert find_browser() == there
    monkeypatch.setenv("CHROME_PATH", f"{there}-of-old")
    with pytest.raises(RuntimeUnavailableError, match="CHROME_PATH"):
        find_browser()


def test_a_png_is_drawn(tmp_path):
    (model,) = put(tmp_path, wide=wide(0.9))
    picture = tmp_path / "plot.png"
    assert call("bench", "--runs", 2, "--plot", picture, model).code == 0
    assert picture.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    width = int.from_bytes(picture.read_bytes()[16:20], "big")
    assert width == 2 * 720


def test_a_browser_that_does_not_draw_in_time_is_told_and_the_times_are_there(
    tmp_path, monkeypatch
):
    (model,) = put(tmp_path, wide=wide(0.9))
    picture = tmp_path / "plot.png"
    monkeypatch.setattr(chromium, "_PATIENCE_MS", 1)
    with pytest.raises(TfliteSparseError, match="Timeout 1ms"):
        chromium.screenshot("<svg/>", 10, 10)
    monkeypatch.setenv("CHROME_PATH", "true")
    done = call("bench", "--on", "native", "--runs", 2, "--plot", picture, model)
    assert done.code == 2
    assert "wide.tflite" in done.out
    assert "CHROME_PATH" in done.err
    assert not picture.exists()


def open_model() -> bytes:
    """A model with an open batch, as Keras exports one."""
    return opened(wide(0.9), (0,))


def quantized_model() -> bytes:
    """A model with int8 inputs and outputs."""
    builder = ModelBuilder()
    g = builder.graph()
    x = g.input((1, 8, 8, 16), "INT8", scale=0.1)
    g.output(g.conv2d(x, 8, storage="int8", activation="RELU"))
    return builder.build()


def typed_model() -> bytes:
    """A model with an input of each type that LiteRT has a CAST for."""
    builder = ModelBuilder()
    g = builder.graph()
    for kind in ("BOOL", "INT8", "INT16", "INT64", "FLOAT16"):
        x = g.input((1, 4), kind, name=kind)
        g.output(*g.op("CAST", [x], [((1, 4), "FLOAT32")], CastOptionsT()))
    return builder.build()


def of_inputs(*names: str) -> bytes:
    """A model of three inputs of unlike shapes."""
    builder = ModelBuilder()
    g = builder.graph()
    pixels, row, pair = g.input((1, 4, 4, 8)), g.input((1, 8)), g.input((1, 2))
    g.output(g.fully_connected(row, 4), g.conv2d(pixels, 8), g.fully_connected(pair, 3))
    model = Model.read(builder.build())
    for tensor, name in zip(model.main.inputs, names, strict=True):
        tensor.table["name"] = name
    return model.to_bytes()


@pytest.mark.parametrize("names", [("", "", ""), ("", "row", "")])
def test_inputs_without_names_are_taken_in_their_order(tmp_path, names):
    (path,) = put(tmp_path, model=of_inputs(*names))
    feeds = random_inputs(input_specs(Model.read(path)), 1)
    web = time_models_on_web([Model.read(path)], feeds, runs=1).timings[0]
    assert web.ok, web.detail
    here = run(path, feeds).trials[0]
    for left, right in zip(web.outputs.values(), here.values(), strict=True):
        np.testing.assert_allclose(left, right, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize(
    ("make", "note"),
    [
        (
            open_model,
            (
                "a copy of fixed size 1x64x64x3, for LiteRT.js takes no open sizes;"
                " 'optimize --batch 1' makes one that runs in your page"
            ),
        ),
        (quantized_model, "LiteRT.js itself takes no INT8"),
        (
            typed_model,
            "LiteRT.js itself takes no BOOL and no FLOAT16 and no INT16 and no INT64 and no INT8",
        ),
    ],
)
def test_what_litertjs_does_not_take_runs_all_the_same_and_is_told(tmp_path, make, note):
    (path,) = put(tmp_path, model=make())
    found = bench([path], where="web", runs=1).models[0]
    assert (found.status, found.note) == ("ok", note)
    feeds = random_inputs(input_specs(Model.read(path)), 1)
    web = time_models_on_web([Model.read(path)], feeds, runs=1).timings[0].outputs
    here = run(path, feeds).trials[0]
    for left, right in zip(web.values(), here.values(), strict=True):
        assert left.dtype == right.dtype
        np.testing.assert_allclose(left, right, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (open_model, "does not match expected ranked tensor type"),
        (quantized_model, "Element type INT8 is not supported"),
        (typed_model, "is not supported"),
    ],
)
def test_what_lint_says_that_litertjs_does_not_run_fails_there_as_it_is(
    tmp_path, monkeypatch, make, message
):
    (path,) = put(tmp_path, model=make())
    settings = Settings(enabled=frozenset({"TFS505"}))
    assert lint(path, settings).findings
    monkeypatch.setattr(driver, "with_all_types", lambda entry: entry)
    monkeypatch.setattr(driver, "for_browser", lambda model: WebSubject(Path(str(model.path)), ""))
    found = bench([path], where="web", runs=1).models[0]
    assert not found.ok
    assert message in found.detail
