"""Prints the share of recorded cases that agree with the plan: tests.runtime_model.agree.

Release by release, on an emulated x86 without AVX, emulated 64-bit Arm or in a browser, and on
emulated 64-bit Arm processor by processor. Exit code 1 says that a case disagrees without a reason
that is written down.
"""

from __future__ import annotations

import sys

from tests.runtime_model.arm64 import agree as arm64
from tests.runtime_model.arm64.record import RECORDED
from tests.runtime_model.arm64.record import recorded as recorded_on_arm64
from tests.runtime_model.cases import CASES, possible
from tests.runtime_model.record import recorded
from tests.runtime_model.releases import agree as releases
from tests.runtime_model.releases.places import PLACES
from tests.runtime_model.releases.record import recorded as recorded_on_releases
from tests.runtime_model.releases.wheels import INSTALLED
from tflite_sparse.model import Model
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.plan_types import Outcome

__all__ = ["main"]


def _newest() -> tuple[int, int]:
    """(cases that agree, cases) on the release that is installed."""
    told = recorded()
    agreed = 0
    for name, seen in told.items():
        said = plan(Model.read(CASES[name].build()).main, "x86-noavx").outcome
        agreed += Outcome(seen["emulated"]["outcome"]) in possible(said)
    return agreed, len(told)


def main() -> int:
    """Prints a line for each place and one for all; 1 where something is not explained."""
    rows: list[tuple[str, int, int, int]] = []
    agreed, total = _newest()
    rows.append((f"x86-noavx, LiteRT {INSTALLED}", total, agreed, 0))
    told = recorded_on_releases()
    for release, place in PLACES.items():
        wrong = releases.disagreements(release)
        compared = sum(told[name][release] is not None for name in told)
        explained = sum((release, name) in releases.EXCEPTIONS for name in wrong)
        rows.append((f"{place.target}, {place.title}", compared, compared - len(wrong), explained))
    for where in RECORDED:
        cases = recorded_on_arm64(where)
        wrong_here = [name for name in cases if arm64.disagreement(name, where, cases[name])]
        explained = sum((where, name) in arm64.EXCEPTIONS for name in wrong_here)
        rows.append((f"arm64, {where}", len(cases), len(cases) - len(wrong_here), explained))
    rows.append(("all", *(sum(row[column] for row in rows) for column in (1, 2, 3))))
    for where, cases_there, right, explained in rows:
        line = f"{where:32} {right:5} of {cases_there:5} agree ({right / cases_there:.1%})"
        print(f"{line}, {explained} differ for a reason that is listed")  # noqa: T201 - a script
    _, total, right, explained = rows[-1]
    return int(right + explained < total)


if __name__ == "__main__":
    sys.exit(main())
