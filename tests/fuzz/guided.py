"""Coverage-guided fuzzing by atheris: `python -m tests.fuzz.guided [options of libFuzzer]`.

libFuzzer keeps the inputs that reach new lines of the package and damages them further, in the same
ways as `python -m tests.fuzz`. Without `-runs` or `-max_total_time` there is no end. An input that
fails is written to the current folder, or where `-artifact_prefix` says.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["tflite_sparse"]):
    from tests.fuzz.case import LIMIT_BYTES, LIMIT_SECONDS, Outcome, check
    from tests.fuzz.damage import damaged, places_of
    from tests.fuzz.edits import edited
    from tests.fuzz.sources import source
    from tests.fuzz.targets import TARGETS

SEEDS = ("small", "external", "perceptron", "wide", "net 1", "tangle", "shared")
_LARGEST = 1 << 16
# Instrumented code takes several times as long.
_SECONDS = 5 * LIMIT_SECONDS


def test_one(data: bytes) -> None:
    """Puts an input into one of the targets, which its first byte chooses."""
    if not data:
        return
    target = tuple(TARGETS)[data[0] % len(TARGETS)]
    outcome = check(target, Outcome(target, [], data[1:]), random.Random(data[0]))
    slow = outcome.problem.startswith("took") and outcome.seconds < _SECONDS
    if outcome.problem and not (slow and outcome.peak < LIMIT_BYTES):
        raise AssertionError(f"{target}: {outcome.problem}")


def mutate(data: bytes, largest: int, seed: int) -> bytes:
    """Another input, not much unlike: damaged by libFuzzer or in the ways of the fuzz suite."""
    chance = random.Random(seed)
    choice, model = data[:1] or b"\0", data[1:]
    way = chance.random()
    if way < 0.1:
        choice = bytes([chance.randrange(256)])
    if way < 0.5:
        model, _ = edited(model, chance)
    elif way < 0.8:
        model, _ = damaged(model, chance, places_of(model)) if model else (model, [])
    else:
        return bytes(atheris.Mutate(data, largest))
    changed = choice + model
    return changed if len(changed) <= largest else data


def main() -> None:
    """Starts from small sound models, one for each target."""
    with tempfile.TemporaryDirectory() as folder:
        for number in range(len(TARGETS)):
            for name in SEEDS:
                Path(folder, f"{number}-{name}").write_bytes(bytes([number]) + source(name))
        options = [f"-max_len={_LARGEST}", "-timeout=60", "-rss_limit_mb=2048"]
        atheris.Setup(
            [sys.argv[0], *options, *sys.argv[1:], folder], test_one, custom_mutator=mutate
        )
        atheris.Fuzz()


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        # The same seed must make the same inputs.
        os.execve(  # noqa: S606 - the same program again
            sys.executable,
            [sys.executable, "-m", "tests.fuzz.guided", *sys.argv[1:]],
            {**os.environ, "PYTHONHASHSEED": "0"},
        )
    main()
