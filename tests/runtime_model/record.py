"""Records what LiteRT does with the cases: python -m tests.runtime_model.record [NAME...].

With names, only those cases are recorded anew; a name may be that of a module of cases.
"""

from __future__ import annotations

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.runtime_model.cases import CASES, possible
from tests.runtime_model.observe import observe

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["RECORDED", "main", "plain", "recorded"]

RECORDED = Path(__file__).with_name("recorded.json")


def recorded() -> dict[str, dict[str, dict[str, Any]]]:
    """What was recorded: for each case what happened "emulated" and "native"."""
    found: dict[str, dict[str, dict[str, Any]]] = json.loads(RECORDED.read_text("utf-8"))["cases"]
    return found


def plain(partitions: list[list[str]]) -> list[list[str]]:
    """Names as every processor has them.

    To which form XNNPACK quantizes inputs on the fly, or packs them, depends on the processor's dot
    products.
    """
    return [
        [name.replace("QDU8", "QD8").replace("QP8", "QD8") for name in names]
        for names in partitions
    ]


def _text(cases: dict[str, dict[str, dict[str, Any]]]) -> str:
    """JSON with one observation a line, so that a change of one shows as one."""
    lines = []
    for name in CASES:
        if name in cases:
            both = ",\n".join(
                f"      {json.dumps(where)}: {json.dumps(cases[name][where])}"
                for where in ("emulated", "native")
            )
            lines.append(f"    {json.dumps(name)}: {{\n{both}\n    }}")
    runtime = json.dumps(f"ai-edge-litert {version('ai-edge-litert')}")
    return '{\n  "runtime": ' + runtime + ',\n  "cases": {\n' + ",\n".join(lines) + "\n  }\n}\n"


def main(wanted: Iterable[str]) -> None:
    """Records cases; all of them where none is named."""
    chosen = set(wanted)
    names = [n for n in CASES if not chosen or n in chosen or n.split(".")[0] in chosen]
    models = [CASES[name].build() for name in names]
    found = recorded() if chosen and RECORDED.exists() else {}
    start = time.monotonic()
    both = zip(names, observe(models, emulate=True), observe(models, emulate=False), strict=True)
    for name, emulated, native in both:
        found[name] = {"emulated": emulated.to_dict(), "native": native.to_dict()}
        unexpected = "" if emulated.outcome in possible(CASES[name].expect) else "  UNEXPECTED"
        print(f"{name}: {emulated.outcome.value}{unexpected}", flush=True)  # noqa: T201 - a script
    RECORDED.write_text(_text(found), "utf-8")
    took = time.monotonic() - start
    print(f"{len(names)} cases in {took:.0f} s")  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
