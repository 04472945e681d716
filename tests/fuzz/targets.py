"""What the fuzz suite puts damaged input into, and what must hold of each.

A target takes the bytes of a model and something to draw from. It raises the project's own errors
where the model is refused; any other exception is a bug. It returns the rewrites that it made, for
the runtime to compare.
"""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.support.walk import MisreadError, walk
from tflite_sparse.encoding import agrees, decode
from tflite_sparse.errors import EncodingError, ModelError
from tflite_sparse.flatbuffer.file import FlatFile
from tflite_sparse.flatbuffer.table import Table
from tflite_sparse.inspection.inspector import inspect as look_at
from tflite_sparse.lint.engine import FileReport, lint_subject
from tflite_sparse.lint.fix import fix
from tflite_sparse.lint.rule import all_rules
from tflite_sparse.lint.run import make_run
from tflite_sparse.lint.settings import Settings
from tflite_sparse.lint.subject import Subject
from tflite_sparse.model import Model
from tflite_sparse.report.lint.formats import REPORTERS
from tflite_sparse.report.lint.options import ReportOptions
from tflite_sparse.report.text.inspection import inspection_lines
from tflite_sparse.rewrite.adapt.options import AdaptOptions
from tflite_sparse.rewrite.optimize import optimize as make_fast
from tflite_sparse.rewrite.storage.densify import densify as make_dense
from tflite_sparse.rewrite.storage.sparsify import sparsify as make_sparse
from tflite_sparse.rewrite.writing.save import save
from tflite_sparse.storage.fully_connected import SPARSE_VERSION
from tflite_sparse.storage.options import SparsifyOptions

if TYPE_CHECKING:
    import random

    from tflite_sparse.encoding import SparseEncoding

__all__ = ["TARGETS", "Rewritten", "check_encoding"]

_SMALL_TENSOR = 1 << 14
_SHARE_OF_ROUND_TRIPS = 0.2


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A model before and after a rewrite.

    Attributes:
        before: the bytes that were read.
        after: the bytes that were written.
        exact: whether the runtime must compute the same numbers bit for bit; otherwise another
            kernel may add up in another order.
    """

    before: bytes
    after: bytes
    exact: bool = True


def read(data: bytes, chance: random.Random) -> list[Rewritten]:
    """Reads everything there is to read, and writes the model again."""
    file = FlatFile.read(data)
    assert file.verified is not None
    assert _count(file.root) == file.verified.tables
    model = Model(file)
    for subgraph in model.subgraphs:
        for tensor in subgraph.tensors:
            with contextlib.suppress(ModelError):
                _ = tensor.data
    again = model.to_bytes()
    assert Model.read(again).to_bytes() == again
    # To run every one of them would take most of the time.
    return [Rewritten(data, again)] if chance.random() < _SHARE_OF_ROUND_TRIPS else []


def _count(table: Table) -> int:
    """Decodes every field of every table below, and counts the tables."""
    count = 1
    for field in table:
        value = table[field.name]
        if isinstance(value, Table):
            count += _count(value)
        elif field.kind == "vector_table":
            count += sum(_count(element) for element in value)
    return count


def inspect(data: bytes, _chance: random.Random) -> list[Rewritten]:
    """Inspects a model, and renders what was found."""
    found = look_at(Model.read(data))
    json.dumps(found.to_dict(), allow_nan=False)
    for line in inspection_lines(found, 80, explain=True):
        assert "\n" not in line.plain
        assert "\x1b" not in line.plain
    return []


def sparsify(data: bytes, chance: random.Random) -> list[Rewritten]:
    """Stores weights sparse in a way of many; to do so once more changes nothing."""
    layout = chance.choice(("auto", "auto", "google"))
    options = SparsifyOptions(
        layout=layout,
        block=None if layout == "google" else chance.choice((None, (), (4, 1), (1, 4))),
        reencode=chance.choice((True, False)),
        fc=chance.choice(("off", "off", "direct")),
    )
    model = Model.read(data)
    made = make_sparse(model, options)
    json.dumps(made.to_dict(), allow_nan=False)
    if not made.changed:
        return []
    after = _written(made)
    assert not make_sparse(Model.read(after), options).changed
    return [Rewritten(data, after, exact=options.fc == "off")]


def densify(data: bytes, _chance: random.Random) -> list[Rewritten]:
    """Stores all weights dense; to do so once more changes nothing."""
    made = make_dense(Model.read(data))
    json.dumps(made.to_dict(), allow_nan=False)
    if not made.changed:
        return []
    after = _written(made)
    assert not make_dense(Model.read(after)).changed
    return _compared(data, after)


def optimize(data: bytes, chance: random.Random) -> list[Rewritten]:
    """Adapts a model wherever more of it runs sparse, or where it pays, and stores it sparse."""
    made = make_fast(Model.read(data), AdaptOptions(min_gain=chance.choice((0.0, 0.0, 1.03))))
    json.dumps(made.to_dict(), allow_nan=False)
    if not made.changed:
        return []
    after = _written(made)
    return [Rewritten(data, after, exact=False)] if _compared(data, after) else []


def _compared(data: bytes, after: bytes) -> list[Rewritten]:
    """A rewrite that makes weights dense, where the runtime read the sparse ones rightly."""
    readers = {
        (operator.name, operator.version)
        for operator in Model.read(data).operators()
        for operand in operator.inputs
        if operand is not None and operand.sparsity is not None
    }
    if any(t.sparsity is not None for g in Model.read(data).subgraphs for t in g.outputs):
        # As an output, the runtime gives the packed values.
        return []
    direct = {reader for reader in readers if reader[0] != "DENSIFY"}
    if direct - {("FULLY_CONNECTED", SPARSE_VERSION)}:
        # Others take sparse data for dense: the rewrite mends what the runtime misreads.
        return []
    return [Rewritten(data, after, exact=not direct)]


def _written(made: Any) -> bytes:
    memory = io.BytesIO()
    save(made, memory)
    FlatFile.read(memory.getvalue())
    return memory.getvalue()


def lint(data: bytes, _chance: random.Random) -> list[Rewritten]:
    """Lints by all rules, renders the findings in every format, and fixes what can be fixed."""
    settings = Settings(
        enabled=frozenset(rule.code for rule in all_rules()),
        budgets={"max-size": 4096.0, "min-zeros": 0.5, "min-sparse-macs": 0.5},
    )
    subject = Subject("model.tflite", settings, data)
    run = make_run([FileReport("model.tflite", tuple(lint_subject(subject)))])
    for report in REPORTERS.values():
        assert "\x1b" not in report(run, ReportOptions(statistics=True))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.tflite")
        path.write_bytes(data)
        done = fix(str(path), settings)
    if done.content is None:
        return []
    FlatFile.read(done.content)
    return _compared(data, done.content)


TARGETS = {
    "read": read,
    "inspect": inspect,
    "sparsify": sparsify,
    "densify": densify,
    "lint": lint,
    "optimize": optimize,
}
"""The targets that take a model, by name."""


def check_encoding(encoding: SparseEncoding) -> None:
    """Decodes an encoding; what is accepted must be read cleanly by a plain walk, to the same."""
    try:
        dense = decode(encoding)
    except EncodingError:
        return
    assert agrees(encoding, dense)
    if dense.size <= _SMALL_TENSOR:
        try:
            walked = walk(encoding)
        except MisreadError:
            raise AssertionError("decode accepts what a walk misreads") from None
        assert np.array_equal(dense.reshape(-1).view("u1"), walked.reshape(-1).view("u1"))
