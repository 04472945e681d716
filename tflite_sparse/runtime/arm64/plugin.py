"""The plugin that lets qemu count instructions: our own C file, built where it is needed."""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.errors import RuntimeUnavailableError

if TYPE_CHECKING:
    from tflite_sparse.runtime.litert.processor import Emulation

__all__ = ["MARK", "compiler", "counter", "counting", "parse_counts"]

MARK = 4247
"""The system call that marks where counting begins (0) and ends (1), as in instructions.c."""

_SOURCE = Path(__file__).with_name("instructions.c")


def compiler() -> str | None:
    """A C compiler of this machine."""
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def counting(asked: Emulation) -> Emulation:
    """The same processor, with its instructions counted where this machine has a compiler.

    Args:
        asked: the processor.
    """
    return msgspec.structs.replace(asked, counting=compiler() is not None)


def counter(folder: Path) -> Path:
    """The plugin, built into a folder unless it lies there.

    Args:
        folder: the folder.

    Raises:
        RuntimeUnavailableError: there is no compiler, or it cannot build the plugin.
    """
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

    XNNPACK reads the clock as a partition begins and after each of its operators. Where others read
    it too, single operators are not told apart.

    Args:
        line: what the plugin wrote for a run: the counts at each reading of the clock, and in all.
        partitions: how many operators each partition executed, in order.
    """
    *reads, total = (int(word) for word in line.split())
    if len(reads) != sum(partitions) + len(partitions):
        return None, total
    operators = []
    at = 0
    for count in partitions:
        ends = reads[at : at + count + 1]
        operators += [end - start for start, end in itertools.pairwise(ends)]
        at += count + 1
    return operators, total
