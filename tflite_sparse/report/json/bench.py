"""Latencies as JSON, described by schema/bench.schema.json: written, and read back."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import TYPE_CHECKING, Any, NoReturn

from tflite_sparse.errors import FileError, Place
from tflite_sparse.report.json.documents import Heading, document

if TYPE_CHECKING:
    from tflite_sparse.runtime.bench import Bench

__all__ = ["bench_document", "read_bench"]

_NUMBERS = frozenset({"median_ms", "p10_ms", "p90_ms", "ratio", "max_difference"})
_KINDS: dict[str, type | tuple[type, ...]] = {
    "threads": int,
    "runs": int,
    "warmup": int,
    "seed": int,
    "bytes": int,
    "models": list,
    "milliseconds": list,
    "within": (bool, type(None)),
}
_STATUSES = ("ok", "load-failure", "run-failure", "crashed", "timed-out")


def bench_document(found: Bench) -> dict[str, Any]:
    """The document of a benchmark."""
    return document({"bench": found.to_dict()})


def read_bench(text: str, path: str) -> Bench:
    """A benchmark out of its document.

    Args:
        text: what `tflite-sparse bench --json` printed.
        path: the file that it stands in, for errors.

    Raises:
        FileError: it is no such document, or one of another version.
    """
    from tflite_sparse.runtime.bench import Bench, BenchedModel

    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        _refuse(path, "it is no JSON")
    if not isinstance(found, dict) or not isinstance(found.get("bench"), dict):
        _refuse(path, 'it has no "bench"')
    if found.get("schema_version") != (version := Heading().schema_version):
        _refuse(path, f"its schema_version is not {version}")
    fields = _fields(found["bench"], Bench, path)
    models = [_fields(model, BenchedModel, path) for model in fields["models"]]
    for model in models:
        if model["status"] not in _STATUSES:
            _refuse(path, f"there is no status {model['status']!r}")
        if not all(_is_time(value) for value in model["milliseconds"]):
            _refuse(path, '"milliseconds" holds something that is no time')
        model["milliseconds"] = tuple(model["milliseconds"])
    return Bench(**{**fields, "models": tuple(BenchedModel(**model) for model in models)})


def _fields(found: object, kind: type, path: str) -> dict[str, Any]:
    """The fields of a dataclass, each of the type that the schema gives it."""
    if not isinstance(found, dict):
        _refuse(path, "a part of it is no object")
    made = {}
    for field in dataclasses.fields(kind):
        name = field.name
        if name not in found:
            _refuse(path, f'it has no "{name}"')
        value = found[name]
        if name in _NUMBERS:
            right = value is None or _is_time(value)
        elif name in _KINDS:
            right = isinstance(value, _KINDS[name]) and (
                name == "within" or not isinstance(value, bool)
            )
        else:
            right = isinstance(value, str)
        if not right:
            _refuse(path, f'its "{name}" is {value!r:.40}')
        made[name] = value
    return made


def _is_time(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return 0 <= value < math.inf


def _refuse(path: str, why: str) -> NoReturn:
    raise FileError(
        f"no result of a benchmark: {why}",
        place=Place(file=path),
        hint="'tflite-sparse bench --json' writes one",
    )
