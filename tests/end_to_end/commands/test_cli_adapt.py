"""`tflite-sparse adapt` and `tflite-sparse optimize` end to end."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command import call
from tflite_sparse.model import Model
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.plan_types import Outcome

TESTDATA = Path(__file__).parents[3] / "testdata"
STOCK = TESTDATA / "mobilenet_tiny_80_same.tflite"
ELIGIBLE = TESTDATA / "mobilenet_tiny_80.tflite"


def test_adapt_says_what_it_did_and_what_comes_of_it(tmp_path):
    done = call("adapt", STOCK, "-o", tmp_path / "out.tflite", "--verify")
    assert done.code == 0
    for words in ("Once its weights are stored sparse", "dense   sparse", "REVERSE_V2 added",
                  "times fewer instructions than dense, by", "LiteRT computes the same numbers",
                  "reversed image along height and width",
                  "pads 0,1 and 0,1; it must pad 1 on every side"):  # fmt: skip
        assert words in done.out
    made = Model.read(tmp_path / "out.tflite")
    assert not any(op.name == "DENSIFY" for op in made.operators())


def test_every_change_is_shown_where_all_are_asked_for():
    short, whole = (call("adapt", STOCK, "-n", *more).out for more in ((), ("--top", "0")))
    assert "DEPTHWISE #1 +2" in short
    assert "DEPTHWISE #1 +2" not in whole
    assert all(f"DEPTHWISE #{number}" in whole for number in (1, 3, 5, 7, 9))


def test_a_dry_run_writes_nothing_and_check_tells_by_its_exit_code(tmp_path):
    out = tmp_path / "out.tflite"
    assert call("adapt", STOCK, "-o", out, "--dry-run").code == 0
    assert call("adapt", STOCK, "--check").code == 1
    assert call("adapt", ELIGIBLE, "--check").code == 0
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_is_left_alone_is_copied_byte_for_byte_with_the_reason(tmp_path):
    out = tmp_path / "out.tflite"
    done = call("adapt", ELIGIBLE, "-o", out)
    assert done.code == 0
    assert "Not adapted" in done.out
    assert "eligible as it is" in done.out
    assert out.read_bytes() == ELIGIBLE.read_bytes()
    told = call("adapt", ELIGIBLE, "-n", "--json").document("rewrite")
    assert not told["changed"]
    assert not told["adaptation"]["done"]


def test_in_place_and_without_verification(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(STOCK.read_bytes())
    done = call("optimize", path, "--in-place", "--no-verify")
    assert done.code == 0
    assert "Verified" not in done.out
    graph = Model.read(path).subgraphs[0]
    assert plan(graph, "arm64").outcome is Outcome.SPARSE


def test_passes_are_chosen_and_left_out(tmp_path):
    assert "Not adapted" in call("adapt", STOCK, "-n", "--without", "mirror").out
    assert "Not adapted" in call("adapt", STOCK, "-n", "--only", "heads").out
    told = call("adapt", STOCK, "-n", "--only", "mirror", "--only", "windows", "--json")
    assert told.document("rewrite")["adaptation"]["done"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--only", "window"], "there is no pass 'window'"),
        (["--target", "abacus"], "there is no target 'abacus'"),
        (["--only", "mirror", "--without", "mirror"], "no pass is left"),
    ],
)
def test_what_makes_no_sense_is_told_in_a_line(arguments, said):
    done = call("adapt", STOCK, "-n", *arguments)
    assert done.code == 2
    assert said in done.err
    assert len(done.err.strip().splitlines()) <= 2


def test_bench_needs_a_file_to_measure():
    done = call("optimize", STOCK, "-n", "--bench", "web")
    assert done.code == 2
    assert "--bench measures the file that -o OUT writes" in done.err


def test_optimize_measures_both_models(tmp_path):
    out = tmp_path / "out.tflite"
    done = call("optimize", STOCK, "-o", out, "--no-verify", "--bench", "native")
    assert done.code == 0
    assert "ratio" in done.out
    assert "out.tflite" in done.out.rpartition("ratio")[2]


def test_a_broken_model_is_an_error_and_nothing_is_written(tmp_path):
    path, out = tmp_path / "broken.tflite", tmp_path / "out.tflite"
    path.write_bytes(STOCK.read_bytes()[:5000])
    done = call("optimize", path, "-o", out)
    assert done.code == 2
    assert not out.exists()
