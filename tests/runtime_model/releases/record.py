"""Records what releases do with the cases: python -m tests.runtime_model.releases.record [NAME...].

    --release RELEASE   only this release, such as 1.3.0 or litertjs-2.0.0; may be repeated

With names, only those cases are recorded anew; a name may be that of a module of cases. A release
takes about two minutes of a processor, one of LiteRT.js six; its packages are downloaded once.
tflite-runtime is run for 64-bit Arm, which `tflite-sparse runtime install arm64` gets.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from tests.runtime_model.cases import CASES
from tests.runtime_model.releases.observe import observe_release
from tests.runtime_model.releases.places import PLACES

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main", "recorded"]

RECORDED = Path(__file__).with_name("recorded.json")


def recorded() -> dict[str, dict[str, str | None]]:
    """Of each case the outcome by release; None where the dense model is not right there either."""
    found: dict[str, dict[str, str | None]] = json.loads(RECORDED.read_text("utf-8"))
    return found


def main(releases: Sequence[str], wanted: Sequence[str]) -> None:
    """Records cases on releases; all of them where none is named."""
    chosen = [n for n in CASES if not wanted or n in wanted or n.split(".")[0] in wanted]
    models = [CASES[name].build() for name in chosen]
    found = recorded() if RECORDED.exists() else {}
    for release in releases:
        for name, outcome in zip(chosen, observe_release(models, release), strict=True):
            found.setdefault(name, {})[release] = None if outcome is None else outcome.value
        RECORDED.write_text(_text(found), "utf-8")
        print(f"{release}: {len(chosen)} cases")  # noqa: T201 - a script


def _text(found: dict[str, dict[str, str | None]]) -> str:
    """JSON with one case a line, so that a change of one shows as one."""
    lines = []
    for name in (name for name in CASES if name in found):
        by_release = {r: found[name][r] for r in PLACES if r in found[name]}
        lines.append(f"  {json.dumps(name)}: {json.dumps(by_release)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--release", action="append", choices=list(PLACES))
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    main(arguments.release or list(PLACES), arguments.names)
