"""What the documentation repeats of the code is what the code says."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

import tflite_sparse
import tflite_sparse.training
from benchmarks.pruning import detected
from benchmarks.swept import read, tables, with_tables
from tflite_sparse.cli.registry import COMMANDS

DOCS = Path(__file__).parents[3] / "docs"


def _script(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"docs_{name}", DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_generated_pages_are_up_to_date() -> None:
    made = _script("make_pages").pages()
    here = {str(page.relative_to(DOCS)) for page in (DOCS / "commands").glob("*.md")}
    assert here | {"targets.md", "adapt.md"} == set(made)
    stale = [path for path, text in made.items() if (DOCS / path).read_text("utf-8") != text]
    assert stale == [], "run: python docs/make_pages.py"


def test_the_tables_and_pages_of_sweeps_are_those_of_what_was_kept() -> None:
    page = (DOCS / "sweep.md").read_text("utf-8")
    named = re.findall(r"^\| \[(\w+)\]\((sweeps/\w+\.html)\)", page, re.MULTILINE)
    nets = {net: read(net) for net, _ in named}
    assert with_tables(page, tables(nets)[0]) == page, "run: python -m benchmarks.sweeps --write"
    pages = _script("swept").pages()
    assert set(pages) == {place for _, place in named}
    assert all("slider" in text for text in pages.values())


def test_the_page_about_pruning_shows_what_was_found_with_detectors() -> None:
    page = (DOCS / "pruned-detectors.md").read_text("utf-8")
    tables = detected.tables()
    assert len(tables) == len((detected.FACE, detected.HAND, detected.MASK))
    for table in tables:
        assert table in page, "put in what this prints: python -m benchmarks.pruning.detected"


def test_every_command_has_a_page_with_its_options() -> None:
    made = _script("make_pages").pages()
    assert {f"commands/{name}.md" for name in COMMANDS} <= set(made)
    assert "| `--graph` |" in made["commands/inspect.md"]
    assert "`--gzip / --no-gzip`" in made["commands/inspect.md"]


def test_diagrams_are_up_to_date() -> None:
    diagrams = _script("make_diagrams").diagrams()
    assert diagrams
    for name, svg in diagrams.items():
        assert (DOCS / "images" / name).read_text("utf-8") == svg, "run: docs/make_diagrams.py"


def test_the_reference_has_every_public_name() -> None:
    named = re.findall(r"^::: (\S+)$", (DOCS / "api.md").read_text("utf-8"), re.MULTILINE)
    objects = set()
    for path in named:
        module, _, name = path.rpartition(".")
        if name == "KerasMasks":
            continue  # Keras is in the environment of the peers alone
        objects.add(getattr(importlib.import_module(module), name))
    public = {
        getattr(tflite_sparse, name) for name in tflite_sparse.__all__ if name != "__version__"
    }
    assert public <= objects
    assert {*tflite_sparse.training.__all__} <= {path.rpartition(".")[2] for path in named}


def test_every_picture_of_a_page_is_there_and_described() -> None:
    pictures = [
        (page, words, target)
        for page in sorted(DOCS.rglob("*.md"))
        for words, target in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", page.read_text("utf-8"))
    ]
    assert len(pictures) > 5
    assert [entry for entry in pictures if not entry[1]] == []
    assert [entry for entry in pictures if not (entry[0].parent / entry[2]).is_file()] == []
