"""Records what LiteRT for 64-bit Arm does: python -m tests.runtime_model.arm64.record [NAME...].

Names are those of processors (see `RECORDED`), of cases or of modules of cases; without names
everything is recorded, which takes some twenty minutes. Without `tflite-sparse runtime install
arm64` nothing is.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.runtime_model.cases import CASES
from tests.runtime_model.observe import feed_shapes
from tests.support.workers import shared_workers
from tflite_sparse.runtime.arm64.packages import LITERT
from tflite_sparse.runtime.arm64.processors import emulated
from tflite_sparse.runtime.litert.driver import profile_many

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["RECORDED", "main", "recorded"]

RECORDED = {
    "cortex-a76": emulated("cortex-a76"),
    "cortex-a53": emulated("cortex-a53"),
    "cortex-a76-fp16": emulated("cortex-a76", fp16=True),
}
"""The processors, and one with half precision forced."""

_FOLDER = Path(__file__).parent / "recorded"
_BATCH = 20


def recorded(where: str) -> dict[str, dict[str, Any]]:
    """What was recorded on a processor, for each case."""
    cases: dict[str, dict[str, Any]] = json.loads(_path(where).read_text("utf-8"))["cases"]
    return cases


def _path(where: str) -> Path:
    return _FOLDER / f"{where}.json"


def observed(names: list[str], where: str) -> Iterator[dict[str, Any]]:
    """What LiteRT executes for cases on a processor: how each fares, and its operators."""
    models = [CASES[name].build() for name in names]
    shapes = [feed_shapes(model) for model in models]
    for profile in profile_many(models, emulate=RECORDED[where], shapes=shapes):
        inside = [op for op in profile.operators if op.partition is not None]
        count = max((op.partition or 0 for op in inside), default=-1) + 1
        yield {
            "status": profile.status,
            "partitions": [[op.name for op in inside if op.partition == n] for n in range(count)],
            "outside": [op.name for op in profile.operators if not op.delegated],
        }


def main(wanted: Iterable[str]) -> None:
    """Records cases; all of them on all processors where none is named."""
    chosen = set(wanted)
    places = [where for where in RECORDED if where in chosen] or list(RECORDED)
    chosen -= set(places)
    names = [n for n in CASES if not chosen or n in chosen or n.split(".")[0] in chosen]
    for where in places:
        cases = recorded(where) if _path(where).exists() else {}
        start = time.monotonic()
        for number, (name, seen) in enumerate(zip(names, observed(names, where), strict=True)):
            cases[name] = seen
            # Whoever interrupts it keeps what there is.
            if number % _BATCH == 0 or number == len(names) - 1:
                _path(where).write_text(_text(cases), "utf-8")
        took = time.monotonic() - start
        print(f"{where}: {len(names)} cases in {took:.0f} s")  # noqa: T201 - a script


def _text(cases: dict[str, dict[str, Any]]) -> str:
    """JSON with a line for each case, so that a change of one shows as one."""
    lines = [f"    {json.dumps(n)}: {json.dumps(cases[n])}" for n in CASES if n in cases]
    runtime = json.dumps(f"ai-edge-litert {LITERT}")
    return '{\n  "runtime": ' + runtime + ',\n  "cases": {\n' + ",\n".join(lines) + "\n  }\n}\n"


if __name__ == "__main__":
    # These have run a model before they fork, which under emulation is most of the work.
    with shared_workers():
        main(sys.argv[1:])
