"""Which processor the runtime sees, and how to make it see another one."""

from __future__ import annotations

import functools
import os
import platform
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.errors import RuntimeUnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "NEHALEM",
    "Emulation",
    "emulation",
    "interpreter_command",
    "interpreter_environment",
    "name",
    "native_target",
    "without_choices_of_kernels",
]


class Emulation(msgspec.Struct, frozen=True):
    """A processor that qemu stands in for.

    Attributes:
        processor: its name; for 64-bit Arm one of `arm64.processors`, else as qemu has it.
        target: the target of `tflite_sparse.xnnpack` that it is.
        title: what it is, for people.
        counting: whether instructions are counted.
    """

    processor: str
    target: str
    title: str
    counting: bool = False

    @property
    def arm(self) -> bool:
        """Whether it is a 64-bit Arm one, which runs a LiteRT and a Python of its own."""
        return self.target.startswith("arm64")

    @property
    def fp16(self) -> bool:
        """Whether arithmetic in half precision is forced."""
        return self.target == "arm64-fp16"


NEHALEM = Emulation("Nehalem", "x86-noavx", "an emulated processor without AVX")
"""A processor without AVX, on which XNNPACK takes the sparse path."""

_X86 = {"x86_64", "amd64", "i686", "i386"}
_ARM64 = {"aarch64", "arm64"}
_KERNELS = {"OPENBLAS_CORETYPE", "NPY_ENABLE_CPU_FEATURES", "NPY_DISABLE_CPU_FEATURES"}
_CPUINFO = Path("/proc/cpuinfo")


@functools.cache
def _cpuinfo() -> str:
    try:
        return _CPUINFO.read_text("utf-8", "replace")
    except OSError:
        return ""


def name() -> str:
    """The processor of this machine, for people."""
    for line in _cpuinfo().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.processor() or platform.machine()


def native_target() -> str:
    """The target of `tflite_sparse.xnnpack` that this machine is.

    XNNPACK takes the sparse path on x86 only without AVX (src/xnnpack/hardware-config.h), so that
    hardly any x86 machine shows it.
    """
    machine = platform.machine().lower()
    if machine in _X86:
        # Every x86 processor of the last decade has AVX; assume it where the system does not say.
        flags = _cpuinfo()
        return "x86-avx" if not flags or " avx " in flags else "x86-noavx"
    if machine in _ARM64:
        return "arm64"
    return "armv7" if machine.startswith("arm") else "riscv"


def emulation(emulate: bool | Emulation) -> Emulation | None:
    """The processor to emulate; True stands for the one without AVX.

    Args:
        emulate: what was asked for.
    """
    if isinstance(emulate, Emulation):
        return emulate
    return NEHALEM if emulate else None


def interpreter_command(*, emulate: bool | Emulation, counts: str | None = None) -> list[str]:
    """How to start a Python, on the emulated processor if asked.

    Args:
        emulate: the processor to emulate; True for one without AVX.
        counts: on 64-bit Arm, the file that gets counts of instructions.

    Raises:
        RuntimeUnavailableError: qemu is not installed, or this machine is no x86 one.
    """
    asked = emulation(emulate)
    if asked is None:
        return [sys.executable]
    if asked.arm:
        from tflite_sparse.runtime.arm64.install import arm64_command
        from tflite_sparse.runtime.arm64.processors import processor

        return arm64_command(processor(asked.processor), counts)
    if platform.machine().lower() not in _X86:
        raise RuntimeUnavailableError(
            "emulation of an x86 processor needs an x86 machine",
            hint="run without --emulate: this machine takes the sparse path itself",
        )
    qemu = shutil.which("qemu-x86_64") or shutil.which("qemu-x86_64-static")
    if qemu is None:
        raise RuntimeUnavailableError(
            "qemu-x86_64 was not found, which emulates a processor without AVX",
            hint="install it, on Debian and Ubuntu with 'apt install qemu-user'",
        )
    # A virtual environment's python is a link, and some version managers put a script in front.
    base = getattr(sys, "_base_executable", sys.executable)
    return [qemu, "-cpu", asked.processor, os.path.realpath(base)]


def interpreter_environment(*, emulate: bool | Emulation = False) -> dict[str, str]:
    """The environment in which such a Python finds the same packages as this one.

    Args:
        emulate: the processor that is emulated; one of another kind has packages of its own.
    """
    asked = emulation(emulate)
    if asked is None:
        return _own_environment()
    if not asked.arm:
        return without_choices_of_kernels(_own_environment())
    from tflite_sparse.runtime.arm64.install import arm64_environment

    return without_choices_of_kernels(arm64_environment())


def _own_environment() -> dict[str, str]:
    standard = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
    paths = [path for path in sys.path if path and path not in standard]
    # The package itself may be imported from a folder that is not on the path of a child.
    here = str(Path(__file__).resolve().parents[3])
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(dict.fromkeys([here, *paths])),
        # The worker forks; linear algebra threads would not survive that.
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def without_choices_of_kernels(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment without what chooses numpy's and OpenBLAS's kernels for the real processor.

    On another processor they are illegal instructions, or numpy refuses to be imported.

    Args:
        environment: names and values.
    """
    return {name: value for name, value in environment.items() if name not in _KERNELS}
