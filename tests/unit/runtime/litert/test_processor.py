"""Which processor there is, and how another one is put in its place."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tflite_sparse.errors import RuntimeUnavailableError
from tflite_sparse.runtime.litert import processor


@pytest.fixture
def machine(monkeypatch):
    def pretend(name: str, cpuinfo: str = "") -> None:
        monkeypatch.setattr(processor.platform, "machine", lambda: name)
        monkeypatch.setattr(processor, "_cpuinfo", lambda: cpuinfo)

    return pretend


@pytest.mark.parametrize(
    ("name", "cpuinfo", "target"),
    [
        ("x86_64", "flags\t\t: fpu sse4_2 avx avx2 \n", "x86-avx"),
        ("x86_64", "flags\t\t: fpu sse4_2 popcnt \n", "x86-noavx"),
        ("AMD64", "", "x86-avx"),
        ("aarch64", "", "arm64"),
        ("arm64", "", "arm64"),
        ("armv7l", "", "armv7"),
        ("riscv64", "", "riscv"),
    ],
)
def test_the_target_follows_from_machine_and_flags(machine, name, cpuinfo, target):
    machine(name, cpuinfo)
    assert processor.native_target() == target


def test_the_name_is_the_one_that_the_system_gives(machine):
    machine("x86_64", "processor\t: 0\nmodel name\t: A Processor @ 2 GHz\nflags\t: fpu\n")
    assert processor.name() == "A Processor @ 2 GHz"


def test_there_is_always_a_name(machine):
    machine("riscv64")
    assert processor.name()


def test_without_emulation_this_very_python_runs():
    assert processor.interpreter_command(emulate=False) == [sys.executable]


def test_a_missing_emulator_is_named_with_its_package(monkeypatch, machine):
    machine("x86_64")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RuntimeUnavailableError, match="apt install qemu-user"):
        processor.interpreter_command(emulate=True)


def test_only_x86_emulates_x86(machine):
    machine("aarch64")
    with pytest.raises(RuntimeUnavailableError, match="without --emulate"):
        processor.interpreter_command(emulate=True)


def test_the_emulated_python_has_no_avx_and_finds_the_same_packages():
    code = "import numpy, tflite_sparse; print(tflite_sparse.__file__)"
    command = processor.interpreter_command(emulate=True)
    assert command[1:3] == ["-cpu", processor.NEHALEM.processor]
    assert Path(command[-1]).is_absolute()
    environment = processor.interpreter_environment(emulate=True)
    done = subprocess.run(
        [*command, "-c", code],
        env=environment,
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    import tflite_sparse

    assert done.stdout.strip() == tflite_sparse.__file__


@pytest.mark.parametrize(
    ("name", "value"),
    [("OPENBLAS_CORETYPE", "Haswell"), ("NPY_ENABLE_CPU_FEATURES", "AVX2")],
)
def test_kernels_chosen_for_the_real_processor_are_not_taken_on_an_emulated_one(
    monkeypatch, name, value
):
    monkeypatch.setenv(name, value)
    environment = processor.interpreter_environment(emulate=True)
    assert name not in environment
    command = [*processor.interpreter_command(emulate=True), "-c", "import numpy"]
    subprocess.run(command, env=environment, check=True)
    assert processor.interpreter_environment()[name] == value


def test_the_environment_keeps_what_is_set(monkeypatch):
    monkeypatch.setenv("SOMETHING", "else")
    environment = processor.interpreter_environment()
    assert environment["SOMETHING"] == "else"
    assert environment["OPENBLAS_NUM_THREADS"] == "1"
