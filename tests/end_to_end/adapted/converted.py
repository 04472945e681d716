"""Records what becomes of nets that the real converters wrote, with zeros in all their filters.

    python -m tests.end_to_end.adapted.converted [--run] [--times] FOLDER [NAME...]

FOLDER holds the nets as `tests/support/peers/nets` makes them, a folder for each share of zeros in
per cent: FOLDER/80/NAME.tflite. They are large, so that they are made by hand, and so is this. With
--run LiteRT runs them too, on both paths; with --times a browser does: do that on a machine that
does nothing else. What is not asked for stays as it was recorded if the same operators run, and the
page is made anew.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.end_to_end.adapted.proof import facts, in_browser, on_litert, sparse_as_it_is
from tests.end_to_end.adapted.record import runs_of
from tests.end_to_end.adapted.subjects import Subject
from tflite_sparse.model import Model
from tflite_sparse.rewrite.adapt.planner import adapt
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.words.numbers import rounded_percent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["JSON", "PAGE", "main", "page"]

JSON = Path(__file__).with_name("converted.json")
PAGE = Path(__file__).parents[3] / "docs" / "converted-nets.md"
BEGIN = "<!-- rows: python -m tests.end_to_end.adapted.converted -->"
END = "<!-- end of rows -->"
_HEAD = """| net | zeros | sparse share of multiplications | 1x1 sparse | file | activations, MB \
| dense, ms | adapted, ms | predicted gain | measured gain | fewer instructions on Arm \
| as planned | difference dense, sparse |
|---|---:|---:|---|---:|---|---:|---:|---:|---:|---|---|---|
"""
_MOST_BLOCKED = 3
# What differs where other operators run, whatever a browser costs and the bytes of the file are.
_PLANNED = ("outcome", "sparse_macs", "sparse_pointwise", "activations", "fewer_instructions")


def main(arguments: Sequence[str] | None = None) -> None:
    """Records nets."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder with a folder for each share of zeros")
    parser.add_argument("names", nargs="*", metavar="NAME", help="nets; all by default")
    parser.add_argument("--run", action="store_true", help="run them on LiteRT")
    parser.add_argument("--times", action="store_true", help="measure times in a browser")
    asked = parser.parse_args(arguments)
    for path in sorted(asked.folder.glob("*/*.tflite")):
        if asked.names and path.stem not in asked.names:
            continue
        recorded = json.loads(JSON.read_text("utf-8")) if JSON.exists() else {}
        key = f"{path.stem} {path.parent.name}"
        row = _row(path, recorded.get(key, {}), run=asked.run, times=asked.times)
        recorded[key] = row
        lines = (f"{json.dumps(name)}: {json.dumps(recorded[name])}" for name in sorted(recorded))
        JSON.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")
        print(key, row["gain"], row.get("web_ms"), row.get("difference"), flush=True)  # noqa: T201
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")


def _row(path: Path, before: dict[str, Any], *, run: bool, times: bool) -> dict[str, Any]:
    dense = path.read_bytes()
    rewrite = adapt(Model.read(dense))
    told = rewrite.adaptation
    assert told is not None
    views = {view.target: view for view in told.outlook}
    sparsify(rewrite.model)
    made = rewrite.model.to_bytes()
    found = facts(dense, sparse_as_it_is(dense), made)
    wasm, fewer = views["wasm"], views["arm64"].instructions_after
    row = {
        **{key: found[key] for key in ("bytes", "outcome", "sparse_macs", "sparse_pointwise")},
        "activations": [told.activations_before, told.activations_after],
        "ms": [wasm.dense_ms, wasm.after_ms],
        "gain": (wasm.dense_ms or 0.0) / wasm.after_ms if wasm.after_ms else None,
        "fewer_instructions": None if fewer is None else [fewer.least, fewer.most],
        "why": told.reason,
        "blocked": [[b.operator, b.reason, b.share] for b in told.blocked[:_MOST_BLOCKED]],
    }
    same = all(row[key] == before.get(key) for key in _PLANNED)
    if run:
        subject = Subject(path.stem, "converted", lambda: dense)
        row.update(on_litert(subject, dense, made))
    elif same:
        kept = ("failure", "executed_as_planned", "difference", "noise")
        row.update({key: before[key] for key in kept if key in before})
    if times:
        row["web_ms"] = in_browser({"dense": dense, "adapted": made}, runs_of(dense))
    elif "web_ms" in before and same:
        row["web_ms"] = before["web_ms"]
    return row


def page(text: str) -> str:
    """The page with the table as recorded."""
    rows = json.loads(JSON.read_text("utf-8"))
    lines = [_line(*name.rsplit(" ", 1), row) for name, row in rows.items()]
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    return f"{before}{BEGIN}\n\n{_HEAD}" + "\n".join(lines) + f"\n\n{END}{after}"


def _line(name: str, zeros: str, row: dict[str, Any]) -> str:
    counts, fewer = row["sparse_pointwise"], row["fewer_instructions"]
    difference = row.get("difference", {})
    cells = [
        name,
        f"{zeros} %",
        rounded_percent(row["sparse_macs"]["after"]),
        f"{counts['after']} of {counts['of']}",
        rounded_percent(row["bytes"]["adapted"] / row["bytes"]["dense"]),
        " → ".join(f"{number / 1e6:.1f}" for number in row["activations"]),
        *(f"{ms:.1f}" for ms in row["ms"]),
        f"{row['gain']:.2f}",
        *_measured(row, fewer),
        {True: "yes", False: "no", None: "-"}[row.get("executed_as_planned")],
        ", ".join("-" if (d := difference.get(k)) is None else f"{d:g}" for k in _PATHS),
    ]
    return "| " + " | ".join(cells) + " |"


_PATHS = ("dense", "sparse")


def _measured(row: dict[str, Any], fewer: list[float] | None) -> Iterator[str]:
    measured = row.get("web_ms", {}).get("gain")
    yield "-" if measured is None else f"{measured:.2f}"
    yield "-" if fewer is None else "-".join(sorted({f"{number:.2f}" for number in fewer}))


if __name__ == "__main__":
    main()
