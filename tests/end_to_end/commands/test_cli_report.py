"""`tflite-sparse report` end to end; what a browser makes of it is tested in runtimes/."""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.runtime_model.cases import CASES
from tests.support.command import as_anybody, call
from tests.support.nets.builder import ModelBuilder
from tests.support.real_models import real_model
from tflite_sparse.inspection.survey import survey
from tflite_sparse.model import Model
from tflite_sparse.report.html import report_page
from tflite_sparse.words.addresses import DOCS

DATA = Path(__file__).parents[3] / "testdata"
DENSE, SPARSE = DATA / "mobilenet_tiny_80.tflite", DATA / "mobilenet_tiny_80_sparse.tflite"
VOID = {"input", "meta", "br"}


class Tree(HTMLParser):
    """Reads a page; elements that are not closed in their order are noted."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.ids: list[str] = []
        self.refers: list[str] = []
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            words = (value or "").split()
            if name == "id":
                self.ids += words
            elif name in {"aria-labelledby", "aria-controls"}:
                self.refers += words
            elif name == "href":
                self.refers.append((value or "").removeprefix("#"))
            elif name in {"src", "srcset", "action", "data", "style"} or name.startswith("on"):
                self.sources.append(f"{tag} {name}={value}")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def page(*arguments: object) -> str:
    done = call("report", *arguments)
    assert (done.code, done.err) == (0, "")
    return done.out


@pytest.fixture
def written(tmp_path: Path) -> str:
    path = tmp_path / "out.html"
    page(DENSE, SPARSE, "-o", path)
    return path.read_text("utf-8")


def test_the_page_refers_to_nothing_but_itself_and_the_documentation(written: str) -> None:
    check(written)
    # The name of SVG's elements is no address that anything is fetched from, nor are links.
    addresses = set(re.findall(r"https?://[^\s\"')]+", written))
    assert {a for a in addresses if not a.startswith(DOCS)} == {"http://www.w3.org/2000/svg"}
    assert "default-src 'none'" in html.unescape(written)


def test_the_same_models_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "1.html", tmp_path / "2.html"
    page(DENSE, "-o", first)
    command = [*as_anybody(), "report", str(DENSE), "-o", str(second)]
    tmp_path.chmod(0o777)
    subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": "7"})
    assert first.read_bytes() == second.read_bytes()


def test_the_page_says_what_inspect_says_and_where_it_was_made_is_not_in_it(tmp_path: Path) -> None:
    path = tmp_path / "out.html"
    said = page(DENSE, "-o", path)
    text = path.read_text("utf-8")
    assert said.startswith(str(path))
    assert "tflite-sparse sparsify mobilenet_tiny_80.tflite" in text
    assert "block4/pointwise (CONV_2D) sparse, behind a DENSIFY" in text
    assert str(DENSE.parent) not in text


def test_without_a_name_it_is_report_html(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    page(DENSE)
    assert (tmp_path / "report.html").is_file()


def test_a_page_that_is_there_is_only_overwritten_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "out.html"
    path.write_text("mine")
    done = call("report", DENSE, "-o", path)
    assert done.code == 2
    assert "--force" in done.err
    assert path.read_text() == "mine"
    page(DENSE, "-o", path, "--force")
    assert path.read_text("utf-8").startswith("<!DOCTYPE html>")


def test_a_model_or_a_benchmark_is_never_overwritten(tmp_path: Path) -> None:
    model = tmp_path / "m.tflite"
    model.write_bytes(DENSE.read_bytes())
    link = tmp_path / "link.html"
    link.symlink_to(model)
    for path in (model, link):
        done = call("report", model, "-o", path, "--force")
        assert done.code == 2
        assert "the page would replace what it is made of" in done.err
    assert model.read_bytes() == DENSE.read_bytes()


def test_a_page_goes_to_standard_output() -> None:
    command = [*as_anybody(), "report", str(DENSE), "-o", "-"]
    done = subprocess.run(command, check=True, capture_output=True)
    assert done.stdout.startswith(b"<!DOCTYPE html>")
    assert done.stdout.endswith(b"</html>\n")
    assert done.stderr == b""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([DATA / "none.tflite"], "none.tflite"),
        ([DATA / "README.md"], "README.md"),
        ([DENSE, "--bench", DATA / "none.json"], "none.json"),
        ([DENSE, "--bench", DENSE], "no result of a benchmark"),
        ([DENSE, "--target", "toaster"], "toaster"),
    ],
)
def test_what_cannot_be_read_is_one_line_and_no_page(
    tmp_path: Path, arguments: list[object], words: str
) -> None:
    path = tmp_path / "out.html"
    done = call("report", *arguments, "-o", path)
    assert done.code == 2
    assert words in done.err
    assert done.err.count("\n") == 1
    assert not path.exists()


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    done = call("report", DENSE, "-o", tmp_path / "none" / "out.html")
    assert done.code == 2
    assert "folder does not exist" in done.err


def test_a_damaged_model_has_a_page_that_says_so(tmp_path: Path) -> None:
    builder = ModelBuilder()
    g = builder.graph()
    g.output(g.conv2d(g.input((1, 4, 4, 8)), 8, bias=False))
    # The tensor claims more values than the buffer has.
    table = next(t for t in g.table.tensors if tuple(t.shape) == (8, 1, 1, 8))
    table.shape = table.shape * [2, 1, 1, 1]
    model, path = tmp_path / "m.tflite", tmp_path / "m.html"
    model.write_bytes(builder.build())
    done = call("report", model, "-o", path)
    assert done.code == 2
    assert str(model) in done.err
    text = path.read_text("utf-8")
    check(text)
    assert "Damaged" in text
    assert "tflite-sparse lint m.tflite" in text
    both = call("report", DENSE, model, "-o", path, "--force")
    assert both.code == 2
    assert "Side by side" in path.read_text("utf-8")


def test_only_the_targets_that_were_asked_for_are_told(tmp_path: Path) -> None:
    path = tmp_path / "out.html"
    page(SPARSE, "-o", path, "--target", "wasm")
    text = path.read_text("utf-8")
    assert "As it runs on wasm." in text
    assert "arm64" not in text


def bench_of(*rows: tuple[str, float | None]) -> str:
    models = [
        {
            "path": name,
            "bytes": 1,
            "status": "ok" if time else "crashed",
            "detail": "" if time else "signal 6",
            "median_ms": time,
            "p10_ms": time,
            "p90_ms": time,
            "ratio": time and time / (rows[0][1] or 1),
            "max_difference": 0.0,
            "within": True,
            "comparison": "",
            "milliseconds": [time] if time else [],
        }
        for name, time in rows
    ]
    bench = {"where": "web", "runtime": "LiteRT.js <1>", "processor": "p", "threads": 1}
    bench |= {"runs": 1, "warmup": 0, "seed": 0, "models": models}
    tool = {"name": "tflite-sparse", "version": "0"}
    return json.dumps({"schema_version": 1, "tool": tool, "bench": bench})


def test_measurements_are_shown(tmp_path: Path) -> None:
    path, bench = tmp_path / "out.html", tmp_path / "bench.json"
    bench.write_text(bench_of(("dense.tflite", 2.0), ("sparse.tflite", 0.5), ("bad.tflite", None)))
    page(DENSE, SPARSE, "-o", path, "--bench", bench)
    text = path.read_text("utf-8")
    assert "0.5 ms, 0.25 of the first" in text
    assert "crashed: signal 6" in text
    assert "LiteRT.js &lt;1&gt;" in text


def test_what_changed_is_told_for_each_further_model(tmp_path: Path) -> None:
    path = tmp_path / "out.html"
    same = tmp_path / DENSE.name
    same.write_bytes((DATA / "mobilenet_tiny_80_same.tflite").read_bytes())
    page(DENSE, SPARSE, same, "-o", path)
    text = path.read_text("utf-8")
    names = f"{DENSE.name} (1)", SPARSE.name, f"{DENSE.name} (3)"
    assert f"From {names[0]} to {names[1]}" in text
    assert f"From {names[0]} to {names[2]}" in text
    assert text.count("They mean the same") == 1
    assert text.count("Another graph or order of the same weights") == 1
    assert "DENSIFY version 1: 0, then 5" in text
    assert ">3 models<" in text


def check(text: str) -> None:
    """Holds that a page is well formed, and that what it refers to is there."""
    tree = Tree()
    tree.feed(text)
    tree.close()
    assert (tree.wrong, tree.open, tree.sources) == ([], [], [])
    assert len(set(tree.ids)) == len(tree.ids)
    assert {name for name in tree.refers if not name.startswith(DOCS)} <= set(tree.ids)


@pytest.mark.parametrize("name", ["face_landmark_with_attention", "hand_landmark_full"])
def test_real_models_give_well_formed_pages(tmp_path: Path, name: str) -> None:
    path = tmp_path / "out.html"
    page(real_model(name), "-o", path)
    check(path.read_text("utf-8"))


def _one_of_each_kind() -> list[str]:
    kinds = {
        (name.split(".")[0], case.expect, case.near): name for name, case in sorted(CASES.items())
    }
    return list(kinds.values())


@pytest.mark.parametrize("name", _one_of_each_kind())
def test_models_of_every_kind_give_well_formed_pages(name: str) -> None:
    model = Model.read(CASES[name].build(), f"{name}.tflite")
    text = report_page([survey(model, gzip=False)])
    check(text)
    assert "Next" in text


def test_several_subgraphs_are_told_apart(tmp_path: Path) -> None:
    builder = ModelBuilder()
    for name in ("main", "body"):
        g = builder.graph(name)
        g.output(g.mean(g.conv2d(g.input((1, 4, 4, 8)), 8)))
    model, path = tmp_path / "m.tflite", tmp_path / "m.html"
    model.write_bytes(builder.build())
    page(model, "-o", path)
    text = path.read_text("utf-8")
    check(text)
    assert "subgraph 0 main" in text
    assert "subgraph 1 body" in text


def test_a_model_without_operators_has_a_page_too(tmp_path: Path) -> None:
    builder = ModelBuilder()
    g = builder.graph()
    g.output(g.input((1, 4)))
    model, path = tmp_path / "m.tflite", tmp_path / "m.html"
    model.write_bytes(builder.build())
    page(model, "-o", path)
    check(path.read_text("utf-8"))
