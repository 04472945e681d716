"""Fixes that are safe: each keeps what the model computes, and the result is linted again."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from tflite_sparse._dataclass import dataclass
from tflite_sparse.errors import TfliteSparseError
from tflite_sparse.lint.engine import lint_subject
from tflite_sparse.lint.rule import find_rule
from tflite_sparse.lint.rules.size import duplicates
from tflite_sparse.lint.subject import Subject
from tflite_sparse.model import Model
from tflite_sparse.model.dead_code import dead_buffers, dead_tensors
from tflite_sparse.rewrite.adapt.adaptation import AdaptOptions
from tflite_sparse.rewrite.adapt.planner import adapt
from tflite_sparse.rewrite.storage.densify import densify
from tflite_sparse.rewrite.storage.options import Choice, DensifyOptions
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.rewrite.writing.runtime_version import needed_version, raise_runtime_version
from tflite_sparse.rewrite.writing.save import save

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tflite_sparse.lint.finding import Finding
    from tflite_sparse.lint.settings import Settings
    from tflite_sparse.rewrite.changes import Rewrite

__all__ = ["FixReport", "fix"]


@dataclass(frozen=True, slots=True)
class FixReport:
    """What was fixed in a file.

    Attributes:
        path: the file.
        steps: what was done, one sentence each; empty where there was nothing to do.
        size_before: bytes of the file before.
        size_after: bytes after.
        content: the new file; None where nothing has changed.
        remaining: what a second look finds.
        error: the error that stopped it; the file is then as it was.
    """

    path: str
    steps: tuple[str, ...] = ()
    size_before: int = 0
    size_after: int = 0
    content: bytes | None = None
    remaining: tuple[Finding, ...] = ()
    error: str | None = None


def fix(path: str, settings: Settings) -> FixReport:
    """Fixes what can be fixed in a file, in memory; nothing is written.

    Args:
        path: the model.
        settings: what the configuration asks for this file; only enabled rules are fixed.
    """
    try:
        return _fix(path, settings)
    except TfliteSparseError as error:
        return FixReport(path, error=str(error.at(file=path)))


def _fix(path: str, settings: Settings) -> FixReport:
    subject = Subject(path, settings)
    before = subject.model.size
    findings = lint_subject(subject)
    content: bytes | None = None
    steps: list[str] = []
    for step in (_mend_heads, _make_dense, _make_sparse, _tidy):
        model = Model.read(path) if content is None else Model.read(content, path)
        codes = {f.code for f in findings if find_rule(f.code).fixable}
        said, changed = step(model, codes, findings)
        if changed is None:
            continue
        steps += said
        content = changed
        findings = lint_subject(Subject(path, settings, content))
    if content is None:
        return FixReport(path, (), before, before, None, tuple(findings))
    return FixReport(path, tuple(steps), before, len(content), content, tuple(findings))


def _written(rewrite: Rewrite) -> bytes:
    memory = io.BytesIO()
    save(rewrite, memory)
    return memory.getvalue()


Step = tuple[list[str], "bytes | None"]


def _mend_heads(model: Model, codes: set[str], findings: Iterable[Finding]) -> Step:
    """Repairs what follows reductions, so that the weights can stay sparse."""
    del findings
    unsafe = sorted(code for code in codes if code.startswith("TFS2"))
    if not unsafe:
        return [], None
    rewrite = adapt(model, AdaptOptions(only=("heads",)))
    if rewrite.adaptation is None or not rewrite.adaptation.done:
        return [], None
    count = len(rewrite.adaptation.steps)
    said = f"let {count} MEAN or SUM end the sparse layout, because of {', '.join(unsafe)}"
    return [said], _written(rewrite)


def _make_dense(model: Model, codes: set[str], findings: Iterable[Finding]) -> Step:
    """Takes away the sparse storage that breaks the model, or that only costs bytes."""
    unsafe = sorted(code for code in codes if code.startswith("TFS2") or code == "TFS107")
    if unsafe:
        rewrite = densify(model)
        reason = f"because of {', '.join(unsafe)}"
    elif "TFS402" in codes:
        names = tuple(
            _literal(f.spot.tensor) for f in findings if f.code == "TFS402" and f.spot is not None
        )
        rewrite = densify(model, DensifyOptions(choice=Choice(only=names)))
        reason = "that are smaller so"
    else:
        return [], None
    if not rewrite.changed:
        return [], None
    return [f"stored {len(rewrite.weights)} weights dense, {reason}"], _written(rewrite)


def _literal(name: str | None) -> str:
    """A name as a glob pattern that matches only itself."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in name or "")


def _make_sparse(model: Model, codes: set[str], findings: Iterable[Finding]) -> Step:
    """Stores weights sparse where that is safe and smaller."""
    del findings
    if not codes & {"TFS309", "TFS401"}:
        return [], None
    rewrite = sparsify(model)
    if not rewrite.weights:
        return [], None
    saved = rewrite.bytes_before - rewrite.bytes_after
    return [f"stored {len(rewrite.weights)} weights sparse, {saved:,} bytes less"], _written(
        rewrite
    )


def _tidy(model: Model, codes: set[str], findings: Iterable[Finding]) -> Step:
    """Drops what nothing needs, and aligns what is there."""
    del findings
    tasks: dict[str, Callable[[Model], str | None]] = {
        "TFS405": _share_buffers,
        "TFS407": _drop_tensors,
        "TFS406": _empty_buffers,
        "TFS502": _raise_version,
        "TFS503": lambda _: "aligned all buffers to 16 bytes",
    }
    said = [text for code, task in tasks.items() if code in codes and (text := task(model))]
    return (said, model.to_bytes()) if said else ([], None)


def _share_buffers(model: Model) -> str | None:
    freed = 0
    for first, *others in duplicates(model.buffers):
        gone = {id(buffer) for buffer in others}
        for subgraph in model.subgraphs:
            for tensor in subgraph.tensors:
                if id(tensor.buffer) in gone:
                    tensor.buffer = first
                    tensor.table["buffer"] = first.index
                    freed += 1
    unused = dead_buffers(model) if freed else []
    saved = sum(buffer.nbytes for buffer in unused)
    for buffer in unused:
        buffer.clear()
    return f"let {freed} tensors share buffers, {saved:,} bytes less" if freed else None


def _drop_tensors(model: Model) -> str | None:
    count = 0
    for subgraph in model.subgraphs:
        dead = dead_tensors(subgraph)
        subgraph.remove(tensors=dead)
        count += len(dead)
    for buffer in dead_buffers(model) if count else ():
        buffer.clear()
    return f"removed {count} tensors that nothing uses" if count else None


def _empty_buffers(model: Model) -> str | None:
    dead = dead_buffers(model)
    saved = sum(buffer.nbytes for buffer in dead)
    for buffer in dead:
        buffer.clear()
    return f"emptied {len(dead)} buffers, {saved:,} bytes less" if dead else None


def _raise_version(model: Model) -> str | None:
    needed = needed_version(model)
    if needed is None:
        return None
    raised = raise_runtime_version(model, ".".join(map(str, needed)))
    return f"raised min_runtime_version from {raised[0]} to {raised[1]}" if raised else None
