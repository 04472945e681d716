"""Imports run one way, downwards; importing the package is cheap."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "tflite_sparse"
LONGEST_MODULE = 350
FULLEST_FOLDER = 15
BELOW_MODEL = {
    "errors", "threads", "processes", "_version", "files", "words", "records",
    "flatbuffer", "encoding",
}  # fmt: skip
BELOW_STORAGE = BELOW_MODEL | {"model", "xnnpack"}
BELOW_INSPECTION = BELOW_STORAGE | {"storage"}
ALLOWED = {
    "errors": set[str](),
    "threads": set[str](),
    "processes": {"errors"},
    "_version": set[str](),
    "records": set[str](),
    "optional": {"errors"},
    "files": {"errors"},
    "words": {"errors"},
    "flatbuffer": {"errors", "files", "threads"},
    "encoding": {"errors"},
    "model": BELOW_MODEL,
    "xnnpack": BELOW_MODEL | {"model"},
    "storage": BELOW_STORAGE,
    "inspection": BELOW_INSPECTION,
    "comparison": BELOW_INSPECTION | {"inspection"},
    "rewrite": BELOW_INSPECTION | {"inspection"},
    "runtime": BELOW_INSPECTION | {"inspection", "comparison"},
    "masking": {"errors", "records"},
    "torch": BELOW_MODEL | {"model", "masking", "optional"},
    "lint": BELOW_INSPECTION | {"inspection", "rewrite"},
    "pruning": BELOW_INSPECTION | {"inspection", "rewrite", "runtime", "torch"},
    "sweeping": BELOW_INSPECTION | {"inspection", "rewrite", "runtime", "pruning"},
    "training": BELOW_INSPECTION
    | {"inspection", "masking", "optional", "pruning", "report", "rewrite", "runtime", "torch"},
    "report": BELOW_INSPECTION
    | {"inspection", "comparison", "lint", "pruning", "rewrite", "runtime", "sweeping"},
    "library": BELOW_INSPECTION
    | {
        *("inspection", "comparison", "lint", "pruning", "rewrite", "runtime", "report"),
        "sweeping",
    },
    "model_explorer": BELOW_INSPECTION | {"inspection", "report"},
}


@cache
def all_imports(path: Path) -> frozenset[str]:
    """The names of the modules that a module imports from, wherever in it."""
    imported = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            imported.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            if node.module == "tflite_sparse":
                imported.update(f"tflite_sparse.{alias.name}" for alias in node.names)
            else:
                imported.add(node.module or "")
    return frozenset(imported)


def project_imports(path: Path) -> set[str]:
    """The folders of the project that a module imports from, "" for the top level."""
    names = (name.split(".") for name in all_imports(path))
    return {"".join(parts[1:2]) for parts in names if parts[0] == "tflite_sparse"}


@pytest.mark.parametrize("folder", sorted(ALLOWED))
def test_a_folder_imports_only_from_below(folder):
    root = PACKAGE / folder
    modules = list(root.rglob("*.py")) if root.is_dir() else [root.with_suffix(".py")]
    assert modules
    wrong = {
        str(module.relative_to(PACKAGE)): above
        for module in modules
        if (above := project_imports(module) - ALLOWED[folder] - {folder})
    }
    assert wrong == {}


def test_every_folder_of_the_package_has_its_rule():
    folders = {path.parent.relative_to(PACKAGE).parts[0] for path in PACKAGE.glob("*/**/*.py")}
    assert folders - set(ALLOWED) <= {"cli"}


def test_the_reader_of_imports_sees_what_it_must(tmp_path):
    module = tmp_path / "m.py"
    module.write_text("from tflite_sparse.cli import main\nimport tflite_sparse.lint.rules\n")
    assert project_imports(module) == {"cli", "lint"}


def test_importing_the_package_loads_neither_rich_nor_typer_nor_a_runtime():
    code = "import sys, tflite_sparse; print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in out.stdout.split()}
    assert not loaded & {
        "rich",
        "typer",
        "ai_edge_litert",
        "tflite",
        "playwright",
        "jsonschema_rs",
        "flatbuffers",
        "torch",
    }


def test_a_public_name_is_the_same_whatever_was_imported_before():
    code = """
import importlib, pkgutil, types
import tflite_sparse
first = {name: getattr(tflite_sparse, name) for name in tflite_sparse.__all__}
for module in pkgutil.iter_modules(tflite_sparse.__path__):
    if module.name != "__main__":
        importlib.import_module(f"tflite_sparse.{module.name}")
for name, value in first.items():
    assert not isinstance(value, types.ModuleType), name
    assert getattr(tflite_sparse, name) is value, name
    assert name in dir(tflite_sparse), name
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_no_public_name_is_the_name_of_a_folder():
    import tflite_sparse

    assert not set(tflite_sparse.__all__) & {
        path.parent.name for path in PACKAGE.glob("*/__init__.py")
    }


def test_storing_weights_sparse_loads_nothing_of_what_only_other_commands_need(tmp_path):
    model = PACKAGE.parent / "testdata" / "mobilenet_tiny_80.tflite"
    words = ["sparsify", str(model), "-o", str(tmp_path / "out.tflite")]
    code = f"""
import sys
from tflite_sparse.cli.main import run
try:
    run({words!r})
except SystemExit as left:
    assert not left.code
print("MODULES", *sys.modules)
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(out.stdout.split("MODULES")[1].split())
    assert "tflite_sparse.rewrite.storage.sparsify" in loaded
    dear = {"numpy.ma", "numpy.random", "pydantic", "rich.console", "secrets", "tempfile", "tflite"}
    assert not loaded & (dear | {"tflite_sparse.rewrite.adapt.planner", "tflite_sparse.lint"})


TESTS = Path(__file__).parents[1]
RUNTIME = {"ai_edge_litert", "tensorflow", "playwright"}
# The types of the flatbuffer alone, in Python.
TABLES = {"ai_edge_litert.schema_py_generated"}
RUNS_MODELS = {
    "tflite_sparse.runtime.bench.bench",
    "tflite_sparse.runtime.litert.c_api",
    "tflite_sparse.runtime.litert.driver",
    "tflite_sparse.runtime.litert.tasks",
    "tflite_sparse.runtime.litert.worker",
    "tflite_sparse.runtime.verify",
    "tflite_sparse.runtime.web.driver",
}


@cache
def imported_things(path: Path) -> frozenset[str]:
    """The modules that a module imports, and what it takes from each, by their full names."""
    things = set(all_imports(path))
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            things.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(things)


def reached(path: Path) -> dict[str, str]:
    """What a module of the tests imports, itself or through tests.support, each with by whom."""
    found: dict[str, str] = {}
    waiting, seen = [path], {path}
    while waiting:
        module = waiting.pop()
        for name in imported_things(module):
            found.setdefault(name, str(module.relative_to(TESTS)))
            source = TESTS.parent / f"{name.replace('.', '/')}.py"
            if name.startswith("tests.support.") and source.exists() and source not in seen:
                seen.add(source)
                waiting.append(source)
    return found


def runs_models(name: str) -> bool:
    """Whether a name that is imported stands for what runs models on a real runtime."""
    tables = any(name == table or name.startswith(f"{table}.") for table in TABLES)
    parts = name.split(".")
    prefixes = {".".join(parts[:end]) for end in range(1, len(parts) + 1)}
    return not tables and bool(prefixes & (RUNTIME | RUNS_MODELS)) and name != "ai_edge_litert"


def test_unit_tests_run_no_runtime():
    modules = list((TESTS / "unit").rglob("*.py"))
    assert len(modules) > 50
    wrong = {
        str(module.relative_to(TESTS)): via
        for module in modules
        if (via := {name: by for name, by in reached(module).items() if runs_models(name)})
    }
    assert wrong == {}


def test_what_runs_a_runtime_is_seen_through_support(tmp_path):
    module = TESTS / "end_to_end" / "adapt" / "test_forms.py"
    assert "tests.support.outputs" in all_imports(module)
    assert reached(module)["tflite_sparse.runtime.litert.driver"] == "support/outputs.py"
    assert runs_models("tflite_sparse.runtime.litert.driver.run_many")
    assert runs_models("ai_edge_litert.interpreter.Interpreter")
    assert not runs_models("ai_edge_litert.schema_py_generated.ModelT")
    assert not runs_models("tflite_sparse.runtime.bench.Bench")


def test_support_has_no_tests():
    functions = {
        f"{path.relative_to(TESTS)}: {node.name}"
        for path in (TESTS / "support").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
    assert functions == set()
    assert not list((TESTS / "support").rglob("test_*.py"))


def test_no_class_is_one_that_takes_long_to_make():
    slow = [
        str(module.relative_to(PACKAGE))
        for module in PACKAGE.rglob("*.py")
        if "dataclasses" in all_imports(module)
    ]
    assert slow == []


def test_modules_and_folders_stay_small_enough_to_read():
    roots = [PACKAGE.parent / name for name in ("tflite_sparse", "tests", "benchmarks", "docs")]
    modules = [path for root in roots for path in root.rglob("*.py")]
    long = {
        str(path.relative_to(PACKAGE.parent)): lines
        for path in modules
        if (lines := len(path.read_text("utf-8").splitlines())) > LONGEST_MODULE
    }
    assert long == {}
    folders = Counter(path.parent for path in modules if path.name != "__init__.py")
    assert {str(folder): n for folder, n in folders.items() if n > FULLEST_FOLDER} == {}
