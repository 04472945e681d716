"""Runs the fuzz suite: `python -m tests.fuzz`, without end or for a number of cases.

Cases run in a process of their own, which a case may crash; a case is made anew from its name.
"""

from __future__ import annotations

import argparse
import collections
import gc
import itertools
import os
import pickle
import resource
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from tests.fuzz.case import NAMES, Outcome, check, run
from tests.fuzz.same import problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_BATCH = 60
_ADDRESS_SPACE = 8 * 2**30


def main() -> int:
    """Runs what the command line asks for; 1 where a case has failed."""
    asked = _arguments()
    # A case that asks for all memory must not take the machine along.
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
    if asked.input:
        return _replay(asked)
    started, total = time.monotonic(), collections.Counter[str]()
    slowest: dict[str, Outcome] = {}
    largest: dict[str, Outcome] = {}
    failed = 0
    for batch in _batches(asked):
        for outcome in _judged(batch, runtime=not asked.no_runtime):
            target = outcome.name.split(":")[0]
            total[target] += 1
            total["refused"] += outcome.refused
            total["compared"] += _COMPARED in outcome.said
            slowest[target] = max(slowest.get(target, outcome), outcome, key=lambda o: o.seconds)
            largest[target] = max(largest.get(target, outcome), outcome, key=lambda o: o.peak)
            if outcome.problem:
                failed += 1
                _report(outcome, asked.out)
        if asked.minutes and time.monotonic() - started > 60 * asked.minutes:
            break
    for target, outcome in slowest.items():
        print(
            f"{target}: {total[target]:,} cases; slowest {outcome.seconds:.2f} s"
            f" ({outcome.name}), largest {largest[target].peak / 1e6:.0f} MB"
            f" ({largest[target].name})"
        )
    print(
        f"refused {total['refused']:,}; compared on LiteRT {total['compared']:,}; {failed} failed"
    )
    return int(failed > 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="another number, other cases")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--cases", type=int, help="so many of each target; without end otherwise")
    parser.add_argument("--minutes", type=float, help="stop after so long")
    parser.add_argument("--on", nargs="+", choices=NAMES, default=NAMES, help="only these targets")
    parser.add_argument("--no-runtime", action="store_true", help="do not compare on LiteRT")
    parser.add_argument("--out", type=Path, help="folder for the inputs that fail")
    parser.add_argument("--input", type=Path, nargs="+", help="run these files instead")
    return parser.parse_args()


def _batches(asked: argparse.Namespace) -> Iterator[list[tuple[str, int, int]]]:
    last = None if asked.cases is None else asked.first + asked.cases
    numbers = itertools.count(asked.first)
    while True:
        part = list(itertools.islice(numbers, _BATCH))
        part = [number for number in part if last is None or number < last]
        if not part:
            return
        for target in asked.on:
            yield [(target, asked.seed, number) for number in part]


_COMPARED = "compared on LiteRT"


def _judged(batch: Sequence[tuple[str, int, int]], *, runtime: bool) -> list[Outcome]:
    """The outcomes of some cases, rewrites compared."""
    outcomes = list(_apart(batch))
    work = [(outcome, item) for outcome in outcomes for item in outcome.rewritten]
    if runtime and work:
        found = problems([item for _, item in work])
        for (outcome, _), problem in zip(work, found, strict=True):
            if problem is not None:
                outcome.said.append(_COMPARED)
            outcome.problem = outcome.problem or problem or ""
    return outcomes


def _apart(batch: Sequence[tuple[str, int, int]]) -> Iterator[Outcome]:
    """Runs cases in a forked process; goes on in another one after a case that ends it."""
    left = list(batch)
    while left:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            _child(left, writing)
        os.close(writing)
        with os.fdopen(reading, "rb") as file:
            done = 0
            try:
                while done < len(left):
                    yield pickle.load(file)
                    done += 1
            except EOFError:
                pass
        _, status = os.waitpid(child, 0)
        if done < len(left):
            name = ":".join(map(str, left[done]))
            code = os.waitstatus_to_exitcode(status)
            yield Outcome(name, [], None, f"the process ended with {code}")
            done += 1
        left = left[done:]


def _child(cases: Sequence[tuple[str, int, int]], pipe: int) -> NoReturn:
    # What was there before is not looked through at every collection.
    gc.freeze()
    try:
        with os.fdopen(pipe, "wb") as file:
            for case in cases:
                pickle.dump(run(*case), file)
                file.flush()
    except BaseException:
        traceback.print_exc()
        os._exit(70)
    os._exit(0)


def _report(outcome: Outcome, folder: Path | None) -> None:
    print(f"FAILED {outcome.name}: {outcome.problem}")
    for line in outcome.said:
        print(f"    {line}")
    if folder is not None and outcome.data is not None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{outcome.name.replace(':', '-')}.tflite"
        path.write_bytes(outcome.data)
        path.with_suffix(".txt").write_text("\n".join([outcome.problem, *outcome.said]), "utf-8")
        print(f"    written to {path}")
    sys.stdout.flush()


def _replay(asked: argparse.Namespace) -> int:
    """Puts files into the targets that take a model."""
    import random

    failed = 0
    for path in asked.input:
        for target in (name for name in asked.on if name != "decode"):
            outcome = Outcome(f"{target}:{path}", [], path.read_bytes())
            check(target, outcome, random.Random(path.name))
            found = problems(outcome.rewritten) if not asked.no_runtime else ()
            outcome.problem = outcome.problem or next((p for p in found if p), "")
            print(f"{target} {path}: {outcome.problem or 'fine'}")
            failed += bool(outcome.problem)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
