"""Records the table of adapted models.

    python -m tests.end_to_end.adapted.record [--times | --run] [NAME...]

Without names all models are recorded anew, most of the time of which goes into emulation. With
--times only the browser runs, for rows that are there: do that on a machine that does nothing else.
With --run all but the browser: times stay where the same operators run, and are left out elsewhere.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

from tests.end_to_end.adapted.proof import adapted, facts, in_browser, on_litert, sparse_as_it_is
from tests.end_to_end.adapted.subjects import SUBJECTS
from tests.end_to_end.adapted.table import gain, read, write
from tflite_sparse.model import Model
from tflite_sparse.model.macs import macs
from tflite_sparse.runtime.litert import processor
from tflite_sparse.runtime.litert.driver import litert_version
from tflite_sparse.runtime.web.litertjs import CORE

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main", "runs_of"]

# About a second of multiplications on one core, and a number of turns that tells a few per cent.
_MULTIPLICATIONS = 12e9
_FEWEST, _MOST = 30, 200


def main(arguments: Sequence[str] | None = None) -> None:
    """Records models; all of them where none is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--times", action="store_true", help="only measure times anew")
    only.add_argument("--run", action="store_true", help="measure no times")
    parser.add_argument("names", nargs="*", metavar="NAME", help="models; all by default")
    asked = parser.parse_args(arguments)
    for name in asked.names or SUBJECTS:
        start = time.monotonic()
        row = _row(name, read()["models"].get(name, {}), run=asked.run, times=asked.times)
        recorded = read()
        recorded["runtime"] = (
            f"LiteRT {litert_version()} and LiteRT.js {CORE.version} on {processor.name()}."
        )
        rows = {**recorded["models"], name: row}
        recorded["models"] = {known: rows[known] for known in SUBJECTS if known in rows}
        write(recorded)
        said = {key: row.get(key) for key in ("web_ms", "difference", "why")}
        took = time.monotonic() - start
        print(f"{name} ({took:.0f} s): {row['outcome']['wasm']} {gain(row)} {said}", flush=True)  # noqa: T201


def _row(name: str, before: dict[str, Any], *, run: bool, times: bool) -> dict[str, Any]:
    """A row; what is not asked for is taken from the one before where that has the same facts."""
    subject = SUBJECTS[name]
    dense = subject.dense()
    sparse = sparse_as_it_is(dense)
    made, why = adapted(dense)
    row = {"source": subject.source, **facts(dense, sparse, made)}
    if times and {key: before.get(key) for key in row} == row:
        kept = ("failure", "executed_as_planned", "difference")
        row.update({key: before[key] for key in kept if key in before})
    else:
        row.update(on_litert(subject, dense, made))
    if run:
        same = before.get("executed") == row["executed"] and "web_ms" in before
        row.update({"web_ms": before["web_ms"]} if same else {})
    elif "failure" not in row:
        models = {"dense": dense, "sparse": sparse, "adapted": made}
        row["web_ms"] = in_browser(models, runs_of(dense))
    row["why"] = why
    return row


def runs_of(data: bytes) -> int:
    """How many turns tell the times of a model."""
    total = sum(macs(operator) or 0 for operator in Model.read(data).operators())
    return round(min(max(_MULTIPLICATIONS / max(total, 1), _FEWEST), _MOST))


if __name__ == "__main__":
    main()
