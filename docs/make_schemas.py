"""Makes schema/*.schema.json from the types of what is printed and read.

Run as: python docs/make_schemas.py

A type says everything: its fields, what they may hold, and in its docstring what they mean.
"""

from __future__ import annotations

import builtins
import collections.abc
import inspect
import json
import re
import typing
from pathlib import Path
from typing import Any

import msgspec

from tflite_sparse.comparison.diff_types import ModelDiff
from tflite_sparse.lint.config.tables import ConfigFile
from tflite_sparse.pruning.recipe import Recipe
from tflite_sparse.records import Distance, Measure, Record
from tflite_sparse.report.json.bench import BenchReport
from tflite_sparse.report.json.documents import Heading
from tflite_sparse.report.json.folder import FolderReport
from tflite_sparse.report.json.inspection import InspectReport
from tflite_sparse.report.json.lint import LintReport
from tflite_sparse.report.json.overlay import GraphData
from tflite_sparse.report.json.profile import ProfileReport
from tflite_sparse.report.json.prune import PruneReport
from tflite_sparse.report.json.rewrite import RewriteReport
from tflite_sparse.report.json.rules import RuleEntry, RulesReport
from tflite_sparse.report.json.runtimes import RuntimesReport
from tflite_sparse.report.json.settings import SettingsReport
from tflite_sparse.report.json.sweep import SweepReport
from tflite_sparse.report.json.verify import VerifyReport

SCHEMA = Path(__file__).resolve().parents[1] / "schema"

# What each document is, its type, and whether a heading stands before it.
DOCUMENTS: dict[str, tuple[str, Any, bool]] = {
    "bench": ("bench --json prints", BenchReport, True),
    "config": ("lint reads from tflite-sparse.toml", ConfigFile, False),
    "folder": ("optimize --json prints for a folder", FolderReport, True),
    "diff": ("diff --json prints", ModelDiff, True),
    "inspect": ("inspect --json prints", InspectReport, True),
    "lint": ("lint --format json prints", LintReport, True),
    "overlay": ("overlay prints", dict[str, GraphData], False),
    "profile": ("profile --json prints", ProfileReport, True),
    "prune": ("prune --json prints", PruneReport, True),
    "recipe": ("sweep --recipe writes and prune --recipe reads", Recipe, False),
    "rewrite": ("sparsify, densify, adapt or optimize --json prints", RewriteReport, True),
    "rule": ("rule --json prints", RuleEntry, False),
    "rules": ("rules --json prints", RulesReport, True),
    "runtime": ("runtime --json prints", RuntimesReport, True),
    "settings": ("lint --show-config prints", SettingsReport, False),
    "sweep": ("sweep --format json prints", SweepReport, True),
    "verify": ("verify --json prints", VerifyReport, True),
}

_REFERENCE = "#/$defs/{name}"
_ENTRY = re.compile(r"^(\w+): (.*)$")


def schemas() -> dict[str, str]:
    """The schemas: their text by their path in schema/."""
    return {
        f"{name}.schema.json": json.dumps(_document(*document), indent=2) + "\n"
        for name, document in DOCUMENTS.items()
    }


def _document(purpose: str, content: Any, heading: bool) -> dict[str, Any]:
    definitions: dict[str, Any] = {}
    top = _content(content, definitions)
    if heading:
        before = _object(Heading, definitions)
        top["properties"] = before["properties"] | top["properties"]
        top["required"] = before["required"] + top["required"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"What tflite-sparse {purpose}",
        **top,
        "$defs": dict(sorted(definitions.items())),
    }


def _content(content: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if isinstance(content, type) and issubclass(content, Record):
        return _object(content, definitions)
    return _value(content, definitions)


def _object(record: type[Record], definitions: dict[str, Any]) -> dict[str, Any]:
    """The schema of a type of results."""
    summary, meanings = _docstring(record)
    for base in record.__mro__[1:]:
        if issubclass(base, Record) and base is not Record:
            meanings = _docstring(base)[1] | meanings
    optional = set()
    properties: dict[str, Any] = {}
    for field in msgspec.structs.fields(record):
        if field.name in record.flat:
            properties |= _object(field.type, definitions)["properties"]
            continue
        properties[field.encode_name] = {
            "description": meanings[field.name],
            **_value(field.type, definitions),
        }
        if msgspec.UnsetType in typing.get_args(field.type):
            # What is only read may lack keys; what is printed always has them all.
            optional.add(field.encode_name)
    for name in record.derived:
        getter = getattr(record, name).fget
        properties[name] = {
            "description": _sentence(inspect.getdoc(getter) or ""),
            **_value(typing.get_type_hints(getter)["return"], definitions),
        }
    return {
        "description": summary,
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def _value(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    """The schema of what a field holds; types of results in it are added to the definitions."""
    if kind == Distance:
        return {"type": ["number", "null"], "minimum": 0}
    if kind == Measure:
        return {"type": ["number", "null"]}
    records = _records(kind)
    for record in records:
        if record.__name__ not in definitions:
            # Reserved first: a type may hold itself.
            definitions[record.__name__] = {}
            definitions[record.__name__] = _object(record, definitions)
    # msgspec reads no union of several results; they are only written here.
    parts = typing.get_args(kind)
    match typing.get_origin(kind), parts:
        case builtins.tuple, (item, builtins.Ellipsis):
            return {"type": "array", "items": _value(item, definitions)}
        case ((builtins.dict | collections.abc.Mapping), (_, item)) if records or item == Measure:
            return {"type": "object", "additionalProperties": _value(item, definitions)}
        case _ if len(parts) > 1 and set(parts) <= set(records):
            return {"oneOf": [{"$ref": _REFERENCE.format(name=part.__name__)} for part in parts]}
    (schema,), components = msgspec.json.schema_components([kind], ref_template=_REFERENCE)
    for name, component in components.items():
        # Fields of what is flat stand in another definition.
        if name not in definitions and "enum" in component:
            definitions[name] = _enumeration(component)
    return _simpler(schema)


def _records(kind: Any) -> list[type[Record]]:
    if isinstance(kind, type) and issubclass(kind, Record):
        return [kind]
    return [record for part in typing.get_args(kind) for record in _records(part)]


def _enumeration(component: dict[str, Any]) -> dict[str, Any]:
    summary = str(component["description"]).partition("\n")[0]
    return {"description": summary, "enum": component["enum"]}


def _simpler(schema: dict[str, Any]) -> dict[str, Any]:
    """The same schema in fewer words."""
    if len(schema.get("enum", ())) == 1:
        return {"const": schema["enum"][0]}
    match schema:
        case {"anyOf": [{"type": kind, **rest}, {"type": "null"}]}:
            return {"type": [kind, "null"], **rest}
    return schema


def _docstring(record: type[Record]) -> tuple[str, dict[str, str]]:
    """What a docstring says of a type, and of each of its fields."""
    text, _, attributes = (inspect.getdoc(record) or "").partition("\n\nAttributes:\n")
    meanings: dict[str, str] = {}
    name = ""
    for line in inspect.cleandoc(attributes).splitlines():
        entry = _ENTRY.match(line)
        if entry:
            name = entry[1]
            meanings[name] = entry[2]
        else:
            meanings[name] += f" {line.strip()}"
    return " ".join(text.split()), {key: _sentence(text) for key, text in meanings.items()}


def _sentence(text: str) -> str:
    """A description as the schema says it: in JSON, None is null."""
    return re.sub(r"\bNone\b", "null", text[:1].upper() + text[1:])


if __name__ == "__main__":
    for file, content in schemas().items():
        (SCHEMA / file).write_text(content, "utf-8")
