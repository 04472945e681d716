"""The plugin that lets qemu count instructions: our own C file, built where it is needed."""

from __future__ import annotations

import functools
import hashlib
import itertools
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.errors import RuntimeUnavailableError

if TYPE_CHECKING:
    from tflite_sparse.runtime.litert.processor import Emulation

__all__ = ["MARK", "compiler", "counter", "counting", "emulator", "parse_counts", "refusal"]

MARK = 4247
"""The system call that marks where counting begins (0) and ends (1), as in instructions.c."""

_NEWEST_QEMU = 8
"""Major version of the last qemu whose plugins have the interface of instructions.c."""

_SOURCE = Path(__file__).with_name("instructions.c")


def emulator() -> str | None:
    """The qemu for 64-bit Arm of this machine."""
    return shutil.which("qemu-aarch64") or shutil.which("qemu-aarch64-static")


def refusal() -> str | None:
    """Why this machine's qemu does not take the plugin; None where it does, or there is none.

    From 9.0 on, qemu loads no plugin for the first version of the interface (plugins/plugin.h:
    QEMU_PLUGIN_MIN_VERSION).
    """
    qemu = emulator()
    version = None if qemu is None else _major(qemu)
    if version is None or version <= _NEWEST_QEMU:
        return None
    return f"qemu {version} counts no instructions, which qemu 6 to {_NEWEST_QEMU} do"


@functools.cache
def _major(qemu: str) -> int | None:
    try:
        done = subprocess.run(
            [qemu, "--version"], capture_output=True, text=True, check=False, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    told = re.search(r"version (\d+)", done.stdout)
    return None if told is None else int(told[1])


def compiler() -> str | None:
    """A C compiler of this machine."""
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def counting(asked: Emulation) -> Emulation:
    """The same processor, with its instructions counted where this machine can do that.

    Args:
        asked: the processor.
    """
    return msgspec.structs.replace(asked, counting=compiler() is not None and refusal() is None)


def counter(folder: Path) -> Path:
    """The plugin, built into a folder unless it lies there.

    Args:
        folder: the folder.

    Raises:
        RuntimeUnavailableError: qemu does not take it, or there is no compiler, or that cannot
            build it.
    """
    refused = refusal()
    if refused is not None:
        raise RuntimeUnavailableError(refused, hint="profile shows the operators without counts")
    source = _SOURCE.read_bytes()
    built = folder / f"instructions-{hashlib.sha256(source).hexdigest()[:12]}.so"
    if built.is_file():
        return built
    cc = compiler()
    if cc is None:
        raise RuntimeUnavailableError(
            "no C compiler was found, which counts of instructions need",
            hint="install one, on Debian and Ubuntu with 'apt install gcc'",
        )
    handle, name = tempfile.mkstemp(suffix=".so", dir=folder)
    os.close(handle)
    done = subprocess.run(
        [cc, "-O2", "-shared", "-fPIC", "-o", name, str(_SOURCE)], capture_output=True, check=False
    )
    if done.returncode:
        Path(name).unlink()
        reason = " ".join(done.stderr.decode("utf-8", "replace").split())[-300:]
        raise RuntimeUnavailableError(f"{cc} cannot build the counter of instructions: {reason}")
    Path(name).replace(built)
    return built


def parse_counts(line: str, partitions: list[int]) -> tuple[list[int] | None, int]:
    """(instructions of each operator of XNNPACK, those of the whole run).

    XNNPACK reads the clock as a partition begins and after each of its operators. LiteRT reads it
    once more before the first operator of some models, such as those of MediaPipe that landmarks
    come from. Where others read it too, single operators are not told apart.

    Args:
        line: what the plugin wrote for a run: the counts at each reading of the clock, and in all.
        partitions: how many operators each partition executed, in order.
    """
    *reads, total = (int(word) for word in line.split())
    more = len(reads) - sum(partitions) - len(partitions)
    if more < 0 or more > (len(partitions) == 1):
        return None, total
    reads = reads[more:]
    operators = []
    at = 0
    for count in partitions:
        ends = reads[at : at + count + 1]
        operators += [end - start for start, end in itertools.pairwise(ends)]
        at += count + 1
    return operators, total
