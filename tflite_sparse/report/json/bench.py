"""Latencies as JSON, described by schema/bench.schema.json: written, and read back."""

from __future__ import annotations

import msgspec

from tflite_sparse.errors import FileError, Place
from tflite_sparse.records import Record
from tflite_sparse.report.json.documents import Heading
from tflite_sparse.runtime.bench import Bench

__all__ = ["BenchReport", "read_bench"]


class BenchReport(Record, frozen=True):
    """Latencies of models beside each other.

    Attributes:
        bench: what was measured.
    """

    bench: Bench


class _Version(msgspec.Struct):
    schema_version: int


def read_bench(text: str, path: str) -> Bench:
    """A benchmark out of its document.

    Args:
        text: what `tflite-sparse bench --json` printed.
        path: the file that it stands in, for errors.

    Raises:
        FileError: it is no such document, or one of another version.
    """
    version = Heading().schema_version
    why = f"its schema_version is not {version}"
    try:
        if msgspec.json.decode(text, type=_Version).schema_version == version:
            return msgspec.json.decode(text, type=BenchReport).bench
    except msgspec.ValidationError as error:
        why = str(error)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        why = "it is no JSON"
    raise FileError(
        f"no result of a benchmark: {why}",
        place=Place(file=path),
        hint="'tflite-sparse bench --json' writes one",
    )
