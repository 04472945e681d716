"""Measures commands against each other: in turn, round by round, so that a load hits all alike."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Command", "Measured", "contest"]

_LAUNCH = Path(__file__).with_name("launch.py")


@dataclass(frozen=True)
class Command:
    """A command.

    Attributes:
        words: program and arguments.
        environment: its environment.
        output: the file that it writes, which is removed before each run; or None.
    """

    words: Sequence[str]
    environment: Mapping[str, str]
    output: Path | None = None


@dataclass(frozen=True)
class Measured:
    """What some runs of a command took.

    Attributes:
        seconds: wall time of each run.
        cpu: processor time of each run in seconds, all threads together.
        peak: peak of the resident memory in bytes, the largest of all runs.
        size: size of the output in bytes; 0 without one.
    """

    seconds: tuple[float, ...]
    cpu: tuple[float, ...]
    peak: int
    size: int = 0

    @property
    def median(self) -> float:
        """Median wall time in seconds."""
        return statistics.median(self.seconds)

    @property
    def median_cpu(self) -> float:
        """Median processor time in seconds."""
        return statistics.median(self.cpu)


def contest(
    commands: Mapping[str, Command], rounds: int, *, warm: bool = False
) -> dict[str, Measured]:
    """Runs all commands in turn, round by round.

    Args:
        commands: the commands by name.
        rounds: how many counted runs of each.
        warm: whether their files are in the system's cache; if not, one more round comes first,
            which does not count.

    Raises:
        AssertionError: a command failed.
    """
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in commands}
    sizes = dict.fromkeys(commands, 0)
    for number in range(int(warm), rounds + 1):
        for name, command in commands.items():
            if command.output is not None:
                command.output.unlink(missing_ok=True)
            found = _run(command)
            assert not found["code"], f"{name} ended with {found['code']}: {command.words}"
            if number:
                runs[name].append(found)
            if command.output is not None:
                sizes[name] = command.output.stat().st_size
    return {
        name: Measured(
            tuple(run["seconds"] for run in found),
            tuple(run["cpu"] for run in found),
            int(max(run["peak"] for run in found)),
            sizes[name],
        )
        for name, found in runs.items()
    }


def _run(command: Command) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-S", "-E", str(_LAUNCH), *command.words],
        env=dict(command.environment),
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found
