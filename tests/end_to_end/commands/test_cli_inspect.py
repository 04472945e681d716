"""`tflite-sparse inspect` end to end: text for people, JSON for machines."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema_rs
import numpy as np
import pytest

from tests.support.command import call, validator
from tests.support.docs import make_goldens
from tests.support.nets.builder import ModelBuilder, append_zip
from tests.support.real_models import all_real_models, real_model

ROOT = Path(__file__).parents[3]
MODEL = str(ROOT / "testdata" / "mobilenet_tiny_80.tflite")
SPARSE = str(ROOT / "testdata" / "mobilenet_tiny_80_sparse.tflite")
SCHEMA: dict[str, Any] = json.loads((ROOT / "schema" / "inspect.schema.json").read_text("utf-8"))


def inspect(*arguments: str, **environment: str) -> str:
    """What the program prints."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        done = call("inspect", *arguments)
    assert (done.code, done.err) == (0, "")
    return done.out


def document(*arguments: str) -> dict[str, Any]:
    """What the program prints as JSON, checked against the schema."""
    parsed: dict[str, Any] = json.loads(inspect("--json", *arguments))
    validator("inspect").validate(parsed)
    return parsed


def names(*arguments: str) -> list[str]:
    """Names of the weights in the order of the document."""
    return [weight["name"] for weight in document(*arguments)["models"][0]["weights"]]


@pytest.mark.parametrize("model", make_goldens.MODELS)
@pytest.mark.parametrize("ending", sorted(make_goldens.VIEWS))
def test_models_of_testdata_are_told_as_agreed(model: str, ending: str) -> None:
    golden = make_goldens.GOLDEN / f"inspect_{model}.{ending}"
    said = make_goldens.say(model, make_goldens.VIEWS[ending])
    if ending == "json":
        # Compressed sizes depend on the release of zlib.
        said_document, agreed = json.loads(said), json.loads(golden.read_text("utf-8"))
        for totals in (said_document["models"][0]["totals"], agreed["models"][0]["totals"]):
            totals.pop("gzip_now")
            totals.pop("gzip_sparse")
        assert said_document == agreed
        return
    agreed_lines = golden.read_text("utf-8").splitlines()
    assert [line for line in said.splitlines() if "After gzip" not in line] == [
        line for line in agreed_lines if "After gzip" not in line
    ]


def test_the_schema_is_a_schema() -> None:
    jsonschema_rs.meta.validate(SCHEMA)


def test_a_wheel_has_the_schemas_where_the_package_looks_for_them() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    included = text.split("[tool.hatch.build.targets.wheel.force-include]\n")[1].split("\n\n")[0]
    assert included.splitlines() == ['"schema" = "tflite_sparse/schema"']
    assert (ROOT / "schema" / "tflite.fbs").is_file()


@pytest.mark.parametrize("name", sorted(all_real_models()))
def test_every_real_model_is_told_in_valid_json(name: str) -> None:
    (model,) = document(str(real_model(name)), "--no-gzip")["models"]
    assert model["problems"] == []
    assert model["size"] == real_model(name).stat().st_size
    parts = dict(model["file"]["bytes"])
    parts.pop("external")
    assert sum(parts.values()) == model["size"]


def test_googles_sparse_model_is_told_as_measured() -> None:
    (model,) = document(str(real_model("face_detection_full_range_sparse")), "--no-gzip")["models"]
    totals = model["totals"]
    assert totals["sparse_tensors"] == 46
    assert totals["pointwise_zeros"] / totals["pointwise_weights"] == pytest.approx(0.695, abs=5e-4)
    arm = next(group for group in model["runtime"] if group["targets"][0]["name"] == "arm64")
    assert (arm["outcome"], arm["sparse_pointwise"]) == ("sparse", 48)


@pytest.mark.parametrize("width", ["60", "80", "120", "200"])
@pytest.mark.parametrize("name", ["pose_detection", "hand_landmark_full"])
def test_no_line_is_wider_than_the_terminal(name: str, width: str) -> None:
    text = inspect(str(real_model(name)), "--no-gzip", "--top", "0", COLUMNS=width)
    # A command is to be copied whole.
    lines = [line for line in text.splitlines() if not line.startswith("    $ ")]
    assert max(map(len, lines)) <= int(width)


def test_text_in_a_pipe_has_no_colours() -> None:
    assert "\x1b" not in inspect(MODEL)


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False)],
)
def test_a_terminal_gets_colours_unless_it_wants_none(
    environment: dict[str, str], coloured: bool
) -> None:
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "tflite_sparse", "inspect", MODEL, "--top", "1", "--no-gzip"],
        stdout=slave,
        env={**os.environ, "COLUMNS": "80", **environment},
    )
    os.close(slave)
    shown = b""
    while True:
        try:
            chunk = os.read(master, 4096)
        except OSError:
            break
        if not chunk:
            break
        shown += chunk
    os.close(master)
    assert process.wait() == 0
    assert (b"\x1b[1;33m" in shown or b"\x1b[33m" in shown) == coloured
    assert (b"\x1b" in shown) == coloured


@pytest.mark.parametrize("name", ["pose_detection", "hand_landmark_full", "face_landmark"])
def test_the_first_screen_is_a_screen_and_ends_in_a_step(name: str) -> None:
    lines = inspect(str(real_model(name)), "--no-gzip").splitlines()
    assert len(lines) <= 36
    assert any(line.startswith("  Next: ") for line in lines)
    assert lines[-1] == "  more: --weights, --explain, --graph"


def test_the_first_screen_and_the_page_name_the_same_step(tmp_path: Path) -> None:
    done = call("report", MODEL, "-o", str(tmp_path / "page.html"))
    assert done.code == 0
    command = next(line for line in inspect(MODEL).splitlines() if line.startswith("    $ "))
    # Others read the page, on whose machine the folder is another.
    named = command.removeprefix("    $ ").replace(MODEL, Path(MODEL).name)
    assert named in (tmp_path / "page.html").read_text("utf-8")


def test_the_verdict_comes_first() -> None:
    lines = inspect(SPARSE, "--target", "arm64").splitlines()
    assert lines[2].startswith("  Runs sparse on arm64: 5 of 5 1x1 convolutions")


def test_only_the_targets_that_are_asked_for_are_told() -> None:
    text = inspect(SPARSE, "--target", "x86-avx")
    assert "Runs dense on x86-avx" in text
    assert "arm64" not in text


def test_explain_tells_every_stage_of_an_operator() -> None:
    text = inspect(SPARSE, "--explain", "--op", "8", "--target", "arm64")
    stages = text[text.index("LiteRT") :]
    assert "block1/pointwise (CONV_2D)" in stages
    for stage in ("delegate", "define", "role", "cluster", "runs", "kernel"):
        assert f"       {stage}" in stages
    assert "SPMM" in stages


def test_json_is_the_same_every_time() -> None:
    assert inspect(MODEL, "--json") == inspect(MODEL, "--json")


def test_several_models_share_a_document(tmp_path: Path) -> None:
    for index in (2, 1):
        (tmp_path / f"m{index}.tflite").write_bytes(Path(MODEL).read_bytes())
    models = document(SPARSE, str(tmp_path))["models"]
    assert [Path(model["path"]).name for model in models] == [
        "mobilenet_tiny_80_sparse.tflite",
        "m1.tflite",
        "m2.tflite",
    ]
    assert models[1]["sha256"] == models[2]["sha256"]


def test_weights_come_in_the_order_that_is_asked_for() -> None:
    weights = document(MODEL)["models"][0]["weights"]
    shares = {w["name"]: w["zeros"] / w["elements"] for w in weights}
    sizes = {w["name"]: w["bytes_now"] for w in weights}
    by_bytes = names(MODEL, "--sort", "bytes")
    assert [sizes[n] for n in by_bytes] == sorted(sizes.values(), reverse=True)
    by_zeros = names(MODEL, "--sort", "zeros")
    assert [shares[n] for n in by_zeros] == sorted(shares.values(), reverse=True)
    assert names(MODEL, "--sort", "name") == sorted(sizes)
    assert names(MODEL, "--sort", "saving")[0] == "block4/pointwise/filter"
    assert names(MODEL, "--sort", "order") == names(MODEL) == list(sizes)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--op", "FULLY_CONNECTED"], ["logits/filter"]),
        (["--op", "fully*"], ["logits/filter"]),
        (["--op", "15"], ["logits/filter"]),
        (["--name", "*1/point*"], ["block1/pointwise/filter"]),
        (["--min-size", "12K"], ["block3/pointwise/filter", "block4/pointwise/filter"]),
        (
            ["--min-zeros", "80%", "--op", "CONV_2D", "--name", "block4*"],
            ["block4/pointwise/filter"],
        ),
        (["--sort", "bytes", "--top", "1"], ["block4/pointwise/filter"]),
        (["--name", "nothing"], []),
    ],
)
def test_weights_are_chosen(options: list[str], expected: list[str]) -> None:
    assert names(MODEL, *options) == expected
    text = inspect(MODEL, *options)
    assert f"{len(expected)} of 12 weights" in text


def test_a_choice_of_weights_leaves_the_totals_alone() -> None:
    whole, part = (
        document(MODEL, *options)["models"][0]["totals"] for options in ([], ["--name", "nothing"])
    )
    assert whole == part


def test_all_that_a_file_can_hold_is_told(tmp_path: Path) -> None:
    builder = ModelBuilder(description="all of it")
    for name in ("main", "other"):
        graph = builder.graph(name)
        x = graph.input((1, 8, 8, 4), name=f"{name}_in")
        y = graph.conv2d(x, 64, zeros=0.9, storage="fp16-sparse")
        (y,) = graph.op("MyOp", [y], [((1, 8), "FLOAT32")])
        graph.output(y)
        builder.signature(f"serve_{name}", graph, {"image": x}, {"label": y})
    builder.metadata("notes", b"0123456789")
    path = tmp_path / "all.tflite"
    path.write_bytes(append_zip(builder.build(), {"labels.txt": b"cat"}))
    text = inspect(str(path), "--weights")
    for word in (
        "all of it",
        "2 subgraphs",
        "serve_main · serve_other",
        "MyOp 2",
        "notes 10 B",
        "zip archive of 1 file",
        "labels.txt",
    ):
        assert word in text
    document(str(path))


def test_values_that_are_nearly_zero_are_told_with_what_makes_them_zero(tmp_path: Path) -> None:
    builder = ModelBuilder()
    graph = builder.graph()
    filters = np.full((8, 1, 1, 8), 1e-12, np.float32)
    filters[:, 0, 0, :2] = 1.0
    graph.output(graph.conv2d(graph.input((1, 4, 4, 8)), 8, filters=filters))
    path = tmp_path / "near.tflite"
    path.write_bytes(builder.build())
    words = " ".join(inspect(str(path), "--weights").split())
    assert "Zeros 0 % of 64 weight values" in words
    assert "another 75.0 % are under 1e-10 in magnitude" in words
    assert "sparsify --zero-below 1e-10" in words
    assert "another" not in inspect(str(path), "--weights", "--near", "0")


def test_a_model_without_weights_is_told(tmp_path: Path) -> None:
    builder = ModelBuilder()
    graph = builder.graph()
    graph.output(graph.add(graph.input((1, 4)), graph.input((1, 4))))
    path = tmp_path / "plain.tflite"
    path.write_bytes(builder.build())
    assert "no 1x1 convolution" in inspect(str(path))
    document(str(path))


def test_a_table_that_is_cut_says_how_to_see_the_rest() -> None:
    assert "--top 0 shows all, --group sums them up by block" in inspect(MODEL, "--top", "3")
    assert "--top 0" not in inspect(MODEL, "--weights")


def test_the_graph_in_a_pipe_has_no_colours() -> None:
    assert "\x1b" not in inspect(MODEL, "--graph")
    assert "\x1b[1;32m" in inspect(SPARSE, "--graph", FORCE_COLOR="1", TERM="xterm")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--graph", "--group"), "--graph and --group are two views"),
        (("--explain", "--graph"), "--explain and --graph are two views"),
        (("--graph", "--json"), "--graph is a view of the text"),
        (("--graph", "--op", "CONV_2D"), "--graph shows every operator"),
    ],
)
def test_views_that_exclude_each_other_are_told_apart(options: tuple[str, ...], words: str) -> None:
    done = call("inspect", MODEL, *options)
    assert (done.code, done.out) == (2, "")
    assert words in done.err
    assert done.err.count("\n") == 1
