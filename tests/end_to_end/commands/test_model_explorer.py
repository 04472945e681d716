"""The node data that `overlay` writes, and the extension, in the real Model Explorer."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import call
from tests.support.nets.builder import ModelBuilder
from tests.support.peers.model_explorer import ask, serve
from tests.support.real_models import real_model
from tflite_sparse.model import Model
from tflite_sparse.runtime.web.chromium import chromium

TESTDATA = Path(__file__).parents[3] / "testdata"
SPARSE = TESTDATA / "mobilenet_tiny_80_sparse.tflite"
# What Model Explorer adds to the operators of a graph.
ADDED = {"GraphInputs", "GraphOutputs", "pseudo_const"}


def _convert(path: Path) -> dict[str, Any]:
    return {
        "cmdId": "convert",
        "extensionId": "builtin_tflite_flatbuffer",
        "modelPath": str(path),
        "settings": {},
        "deleteAfterConversion": False,
    }


def _run(path: Path, graph: str, target: str = "arm64") -> dict[str, Any]:
    return {
        "cmdId": "run",
        "extensionId": "tflite_sparse",
        "modelPath": str(path),
        "graphId": graph,
        "configValues": {"target": target},
    }


def _several_graphs(folder: Path) -> Path:
    builder = ModelBuilder()
    for name in ("", "body", ""):
        graph = builder.graph()
        graph.table.name = name or None
        x = graph.input((1, 8, 8, 16))
        graph.output(graph.conv2d(graph.conv2d(x, 8, zeros=0.9), 8))
    path = folder / "several.tflite"
    path.write_bytes(builder.build())
    return path


def _graphs(answer: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Of each graph, the label of each node."""
    return {
        graph["id"]: {node["id"]: node["label"] for node in graph["nodes"]}
        for collection in answer["graphCollections"]
        for graph in collection["graphs"]
    }


@pytest.mark.parametrize("name", ["tiny", "several", "real"])
def test_every_node_that_is_an_operator_has_a_fate_and_every_result_has_a_node(
    name: str, tmp_path: Path
) -> None:
    path = {
        "tiny": lambda: SPARSE,
        "several": lambda: _several_graphs(tmp_path),
        "real": lambda: real_model("pose_detection"),
    }[name]()
    assert call("overlay", path, "-o", tmp_path / "overlay.json").code == 0
    (answer,) = ask(tmp_path, _convert(path))["answers"]
    nodes = _graphs(answer)
    assert sum(len(ids) for ids in nodes.values()) > sum(1 for _ in Model.read(path).operators())
    for quantity in ("fate", "zeros", "saving"):
        graphs = json.loads((tmp_path / f"overlay.{quantity}.json").read_text("utf-8"))
        assert graphs.keys() == nodes.keys()
        for graph, data in graphs.items():
            operators = {key for key, label in nodes[graph].items() if label not in ADDED}
            assert data["results"].keys() <= operators
            assert data["results"]
            if quantity == "fate":
                assert data["results"].keys() == operators


def test_the_extension_answers_as_the_command_writes(tmp_path: Path) -> None:
    path = _several_graphs(tmp_path)
    call("overlay", path, "-o", tmp_path / "overlay.json", "--target", "wasm")
    dialog = {"cmdId": "get_config_editors", "extensionId": "tflite_sparse"}
    found = ask(tmp_path, dialog, _run(path, "body", "wasm"), _run(path, "no such graph"))
    (extension,) = [e for e in found["extensions"] if e["id"] == "tflite_sparse"]
    assert extension["type"] == "node_data_provider"
    assert extension["filter"]["modelFileExts"] == ["tflite"]
    editors, body, nothing = found["answers"]
    (editor,) = editors["configEditors"]
    assert {"value": "wasm", "label": "WebAssembly SIMD"} in editor["options"]
    assert nothing == {"result": [], "error": ""}
    assert body["error"] == ""
    for quantity, got in zip(("fate", "zeros", "saving"), body["result"], strict=True):
        written = json.loads((tmp_path / f"overlay.{quantity}.json").read_text("utf-8"))["body"]
        assert got["name"] == written["name"]
        assert {
            key: {k: v for k, v in value.items() if v is not None}
            for key, value in got["results"].items()
        } == written["results"]


def test_the_extension_tells_what_is_wrong_with_a_model(tmp_path: Path) -> None:
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(SPARSE.read_bytes()[:1000])
    (answer,) = ask(tmp_path, _run(broken, "main"))["answers"]
    assert answer["result"] is None
    assert str(broken) in answer["error"]


def test_its_page_shows_the_data_of_every_operator(tmp_path: Path) -> None:
    call("overlay", SPARSE, "-o", tmp_path / "overlay.json")
    files = [tmp_path / f"overlay.{quantity}.json" for quantity in ("zeros", "saving", "fate")]
    with serve(SPARSE, *files) as address:
        rows, errors = asyncio.run(_table(address, len(files)))
    assert errors == []
    shown = {row[0]: row[1:] for row in rows}
    assert shown["GraphInputs"] == ["-", "-", "-"]
    operators = [row for row in rows if row[0] not in ADDED]
    kinds = [operator.name.lower() for operator in Model.read(SPARSE).operators()]
    assert sorted(row[0] for row in operators) == sorted(kinds)
    assert [row for row in operators if row[3] == "-"] == []
    assert ["conv_2d", "80.1", "1505", "sparse"] in operators


async def _table(address: str, columns: int) -> tuple[list[list[str]], list[str]]:
    """The table of nodes and their data, once it is there, and what the page threw."""
    errors: list[str] = []
    async with chromium() as browser:
        page = await browser.new_page(viewport={"width": 1500, "height": 900})
        page.on("pageerror", lambda error: errors.append(str(error)))
        await page.goto(address, wait_until="domcontentloaded", timeout=600_000)
        await page.wait_for_function(
            "columns => [...document.querySelectorAll('node-data-provider-summary-panel tr')]"
            ".some(row => row.innerText.startsWith('0\\tGraphInputs') && row.cells.length"
            " === columns + 2)",
            arg=columns,
            timeout=600_000,
        )
        texts = await page.evaluate(
            "() => [...document.querySelectorAll('node-data-provider-summary-panel tr')]"
            ".map(row => [...row.cells].map(cell => cell.innerText.trim()))"
        )
    return [row[1:] for row in texts if len(row) == columns + 2 and row[0].isdigit()], errors
