"""One case of the fuzz suite: made from its name, run and measured."""

from __future__ import annotations

import random
import signal
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.fuzz.codec import damaged_encoding
from tests.fuzz.damage import damaged, places_of
from tests.fuzz.edits import edited
from tests.fuzz.sources import ALL, LIGHT, TO_ADAPT, TO_DENSIFY, TO_SPARSIFY, source
from tests.fuzz.targets import TARGETS, check_encoding
from tflite_sparse.errors import TfliteSparseError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

    from tests.fuzz.targets import Rewritten

__all__ = ["DECODE", "LIMIT_BYTES", "LIMIT_SECONDS", "NAMES", "Outcome", "check", "run"]

DECODE = "decode"
NAMES = (*TARGETS, DECODE)
"""The names of all targets."""

LIMIT_SECONDS = 2.0
"""Processor time that a case may take: a loaded machine makes no difference."""

LIMIT_BYTES = 500 * 10**6
"""Resident memory that a case may add at its peak."""

_NO_MODEL, _LONGEST_NOISE = 0.03, 600
_ONLY_EDITED, _EDITED = 0.65, 0.8
_NAMES = {
    "sparsify": TO_SPARSIFY,
    "densify": TO_DENSIFY,
    "lint": LIGHT,
    "optimize": TO_ADAPT,
}
_GIVEN_UP = 4 * LIMIT_SECONDS
_PEAK_RESET = "5"


@dataclass(slots=True)
class Outcome:
    """What came of a case.

    Attributes:
        name: the case, as "target:seed:number".
        said: how its input was made.
        data: the input; None for an encoding, which `said` shows.
        problem: what is wrong; "" where nothing is.
        refused: whether the input was refused.
        seconds: processor time it took.
        peak: bytes of memory that it added at its peak.
        rewritten: what the runtime still has to compare.
    """

    name: str
    said: list[str]
    data: bytes | None
    problem: str = ""
    refused: bool = False
    seconds: float = 0.0
    peak: int = 0
    rewritten: list[Rewritten] = field(default_factory=list)


class _TooSlowError(BaseException):
    """A case is given up; no exception of the code under test, so that none catches it."""


def model_of(chance: random.Random, names: Sequence[str]) -> tuple[bytes, list[str]]:
    """A model that is edited, damaged, or both, and how; seldom no model at all."""
    if chance.random() < _NO_MODEL:
        data = chance.randbytes(chance.randrange(_LONGEST_NOISE))
        return data[:4] + chance.choice((b"TFL3", b"")) + data[4:], ["random bytes"]
    name = chance.choice(names)
    data, said = source(name), [name]
    way = chance.random()
    if way < _EDITED:
        data, more = edited(data, chance)
        said += more
    if way > _ONLY_EDITED:
        other = source(chance.choice(names))
        data, more = damaged(data, chance, places_of(data), other)
        said += more
    return data, said


def run(target: str, seed: int, number: int) -> Outcome:
    """Makes a case and runs it; the same three make the same case."""
    name = f"{target}:{seed}:{number}"
    chance = random.Random(name)
    if target == DECODE:
        encoding, said = damaged_encoding(chance)
        return _measured(Outcome(name, said, None), lambda: check_encoding(encoding) or [])
    try:
        data, said = model_of(chance, _NAMES.get(target, ALL))
    except Exception as error:
        return Outcome(name, [], None, f"while it was made: {_where(error)}")
    return check(target, Outcome(name, said, data), chance)


def check(target: str, outcome: Outcome, chance: random.Random) -> Outcome:
    """Puts the input of an outcome into a target."""
    data = outcome.data or b""
    return _measured(outcome, lambda: TARGETS[target](data, chance))


def _measured(outcome: Outcome, call: Callable[[], list[Rewritten]]) -> Outcome:
    before = _reset_peak()
    signal.signal(signal.SIGPROF, _give_up)
    signal.setitimer(signal.ITIMER_PROF, _GIVEN_UP)
    started = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            outcome.rewritten = call()
    except TfliteSparseError as refusal:
        outcome.refused = True
        if "\n" in str(refusal):
            outcome.problem = f"an error of two lines: {refusal}"
    except _TooSlowError:
        outcome.problem = f"not done after {_GIVEN_UP:g} s"
    except BaseException as error:
        outcome.problem = _where(error)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    outcome.seconds = time.process_time() - started
    outcome.peak = _memory("VmHWM") - before
    if not outcome.problem and outcome.seconds > LIMIT_SECONDS:
        outcome.problem = f"took {outcome.seconds:.1f} s"
    if not outcome.problem and outcome.peak > LIMIT_BYTES:
        outcome.problem = f"took {outcome.peak / 1e6:,.0f} MB"
    return outcome


def _give_up(_number: int, _frame: FrameType | None) -> None:
    raise _TooSlowError


def _where(error: BaseException) -> str:
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames[-4:]]
    return f"{type(error).__name__}: {error} at {' > '.join(places)}"


def _reset_peak() -> int:
    """Forgets the highest memory so far; the resident memory of now, in bytes."""
    Path("/proc/self/clear_refs").write_text(_PEAK_RESET, "ascii")
    return _memory("VmRSS")


def _memory(entry: str) -> int:
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith(entry):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"the system does not tell {entry}")
