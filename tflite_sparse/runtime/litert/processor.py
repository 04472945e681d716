"""Which processor the runtime sees, and how to make it see another one."""

from __future__ import annotations

import functools
import os
import platform
import shutil
import sys
import sysconfig
from pathlib import Path

from tflite_sparse.errors import RuntimeUnavailableError

__all__ = ["EMULATED", "interpreter_command", "interpreter_environment", "name", "native_target"]

EMULATED = "Nehalem"
"""A processor without AVX, on which XNNPACK takes the sparse path; as qemu names it."""

_X86 = {"x86_64", "amd64", "i686", "i386"}
_ARM64 = {"aarch64", "arm64"}
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


def interpreter_command(*, emulate: bool) -> list[str]:
    """How to start a Python of this version, on the emulated processor if asked.

    Raises:
        RuntimeUnavailableError: qemu is not installed, or this machine is no x86 one.
    """
    if not emulate:
        return [sys.executable]
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
    return [qemu, "-cpu", EMULATED, os.path.realpath(base)]


def interpreter_environment() -> dict[str, str]:
    """The environment in which such a Python finds the same packages as this one."""
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
