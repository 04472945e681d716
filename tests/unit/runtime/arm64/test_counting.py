"""Counts of instructions: which operator each belongs to, and words where there is no compiler."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.support.command import call
from tflite_sparse.cli.usage.emulation import emulation_asked, with_values
from tflite_sparse.errors import RuntimeUnavailableError, UsageError
from tflite_sparse.runtime.arm64 import plugin
from tflite_sparse.runtime.arm64.install import ARM64, arm64_command
from tflite_sparse.runtime.arm64.processors import PROCESSORS, describe, emulated, processor


def test_operators_end_where_the_clock_is_read():
    assert plugin.parse_counts("10 30 60 70", [2]) == ([20, 30], 70)
    assert plugin.parse_counts("10 30 60 100 101 200", [2, 1]) == ([20, 30, 1], 200)
    assert plugin.parse_counts("5", []) == ([], 5)


def test_where_others_read_the_clock_only_the_whole_is_known():
    assert plugin.parse_counts("1 2 10 30 60 70", [2]) == (None, 70)
    assert plugin.parse_counts("1 10 30 60 100 101 200", [2, 1]) == (None, 200)
    assert plugin.parse_counts("10 30 70", [2]) == (None, 70)


def test_litert_may_read_the_clock_once_before_the_first_operator():
    assert plugin.parse_counts("1 10 30 60 70", [2]) == ([20, 30], 70)


def test_the_plugin_is_built_once(tmp_path):
    built = plugin.counter(tmp_path)
    assert plugin.counter(tmp_path) == built
    assert [path.name for path in tmp_path.iterdir()] == [built.name]
    symbols = subprocess.run(["nm", "-D", built], capture_output=True, text=True, check=True).stdout
    assert " T qemu_plugin_install" in symbols


def test_without_a_compiler_the_error_says_how_to_get_one(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RuntimeUnavailableError) as caught:
        plugin.counter(tmp_path)
    assert "apt install gcc" in str(caught.value.hint)
    assert not plugin.counting(emulated("cortex-a76")).counting
    assert len(ARM64.lacks()) == 2


@pytest.mark.parametrize(("version", "counts"), [("8.2.2", True), ("10.0.2 (Debian)", False)])
def test_a_qemu_that_takes_no_such_plugin_counts_nothing(tmp_path, monkeypatch, version, counts):
    qemu = tmp_path / "qemu-aarch64"
    qemu.write_text(f"#!/bin/sh\necho 'qemu-aarch64 version {version}'\n")
    qemu.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert plugin.counting(emulated("cortex-a76")).counting is counts
    assert ARM64.lacks() == ([] if counts else [plugin.refusal()])
    if not counts:
        with pytest.raises(RuntimeUnavailableError, match="qemu 10 counts no instructions"):
            plugin.counter(tmp_path)


def test_what_is_not_installed_is_named_with_the_command(tmp_path, monkeypatch):
    monkeypatch.setenv("TFLITE_SPARSE_CACHE", str(tmp_path))
    with pytest.raises(RuntimeUnavailableError) as caught:
        arm64_command(processor("cortex-a76"))
    assert caught.value.hint == "tflite-sparse runtime install arm64"
    done = call("profile", "testdata/mobilenet_tiny_80.tflite", "--emulate", "arm64")
    assert done.code == 2
    assert "runtime install arm64" in done.err


def test_without_qemu_the_error_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("TFLITE_SPARSE_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    ARM64.folder.mkdir()
    (ARM64.folder / ".pins").write_text(ARM64.pins, "utf-8")
    with pytest.raises(RuntimeUnavailableError, match="qemu-aarch64 was not found"):
        arm64_command(processor("cortex-a76"))


@pytest.mark.parametrize("each", PROCESSORS, ids=lambda each: each.name)
def test_the_system_says_which_processor_it_has(tmp_path, each):
    describe(each, tmp_path / "root")
    text = (tmp_path / "root" / "proc" / "cpuinfo").read_text()
    assert f"CPU part\t: {each.part}\n" in text


@pytest.mark.parametrize(
    ("words", "read"),
    [
        (["--emulate"], ["--emulate", "x86-noavx"]),
        (["--emulate", "m.tflite"], ["--emulate", "x86-noavx", "m.tflite"]),
        (["--emulate", "arm64", "m"], ["--emulate", "arm64", "m"]),
        (["--emulate=arm64"], ["--emulate=arm64"]),
        (["--", "--emulate"], ["--", "--emulate"]),
    ],
)
def test_the_option_may_stand_alone(words, read):
    assert with_values(words) == read


def test_options_for_arm_are_refused_elsewhere():
    for given in ({"cpu": "max"}, {"fp16": True}):
        with pytest.raises(UsageError, match="is for an emulated Arm processor"):
            emulation_asked("x86-noavx", **given)
    with pytest.raises(UsageError, match="no processor to emulate"):
        emulation_asked("mips")
    with pytest.raises(UsageError, match="no processor 'z80'"):
        emulation_asked("arm64", "z80")
    assert emulation_asked(None) is None
    assert emulation_asked("arm64", fp16=True).target == "arm64-fp16"
