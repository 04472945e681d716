"""The JSON Schemas of what is printed: made from the types, complete, and kept by every command."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from tests.support.command import call
from tflite_sparse.lint.rule import all_rules

ROOT = Path(__file__).parents[3]
SCHEMAS = sorted((ROOT / "schema").glob("*.schema.json"))


def _maker() -> Any:
    spec = importlib.util.spec_from_file_location("make_schemas", ROOT / "docs" / "make_schemas.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _objects(schema: Any) -> list[dict[str, Any]]:
    if isinstance(schema, list):
        return [found for part in schema for found in _objects(part)]
    if not isinstance(schema, dict):
        return []
    inner = [found for part in schema.values() for found in _objects(part)]
    return [schema, *inner] if "properties" in schema else inner


def test_the_schemas_are_what_the_types_say() -> None:
    made = _maker().schemas()
    stale = [name for name, text in made.items() if (ROOT / "schema" / name).read_text() != text]
    assert stale == [], "run: python docs/make_schemas.py"
    assert set(made) == {path.name for path in SCHEMAS}


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_a_schema_is_valid_and_describes_every_field(path: Path) -> None:
    schema = json.loads(path.read_text("utf-8"))
    jsonschema_rs.meta.validate(schema)
    parts = _objects(schema)
    assert parts
    for part in parts:
        assert part["additionalProperties"] is False
        if path.name != "config.schema.json":
            assert part["required"] == list(part["properties"])
        assert all(entry["description"] for entry in part["properties"].values())


def test_rules_are_listed_as_their_schema_says() -> None:
    document = call("rules", "--json").document("rules")
    assert [rule["code"] for rule in document["rules"]] == [rule.code for rule in all_rules()]


@pytest.mark.parametrize("code", ["TFS101", "TFS301", "TFS401"])
def test_a_rule_is_told_as_its_schema_says(code: str) -> None:
    assert call("rule", code, "--json").document("rule")["code"] == code


@pytest.mark.parametrize("quantity", ["fate", "zeros", "saving"])
def test_data_for_model_explorer_is_what_its_schema_says(quantity: str) -> None:
    model = ROOT / "testdata" / "mobilenet_tiny_80_sparse.tflite"
    done = call("overlay", model, "-o", "-", "--data", quantity)
    assert done.document("overlay")["main"]["results"]
