"""A device that adb reaches: chosen, described, and given files and commands."""

from __future__ import annotations

import contextlib
import os
import secrets
import shlex
import shutil
import struct
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tflite_sparse.errors import Place, RuntimeUnavailableError, UsageError
from tflite_sparse.words.names import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Answer", "Device", "check_program", "connected", "find_adb"]

_HOME = "/data/local/tmp"
"""The folder of an Android device in which a shell may write programs and run them."""
_SHORT = 30.0
"""Seconds for a command that does next to nothing."""
_PUSHING = 600.0
# The machine field of an ELF header (the System V ABI and its supplements).
_MACHINES = {40: "armeabi-v7a", 183: "arm64-v8a", 3: "x86", 62: "x86_64", 243: "riscv64"}
_STATES = {
    "unauthorized": "allow USB debugging on its screen",
    "offline": "reconnect it, or run 'adb reconnect'",
    "no permissions": "see what 'adb devices' says about permissions",
}


class Answer(NamedTuple):
    """What came of a command on a device.

    Attributes:
        code: its exit code; None where it was not done in time.
        text: what it printed, both streams as they came.
    """

    code: int | None
    text: str


def find_adb() -> str:
    """The adb program.

    Raises:
        RuntimeUnavailableError: there is none.
    """
    adb = shutil.which("adb")
    if adb is None:
        raise RuntimeUnavailableError(
            "adb was not found, which reaches Android devices",
            hint="install Android's platform-tools, and put them on the PATH",
        )
    return adb


def _run(command: list[str], seconds: float) -> Answer:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        return Answer(None, (error.output or b"").decode("utf-8", "replace"))
    except OSError as error:
        raise RuntimeUnavailableError(f"adb cannot be started: {error.strerror}") from None
    return Answer(done.returncode, done.stdout.decode("utf-8", "replace").replace("\r", ""))


def _listed(adb: str) -> list[tuple[str, str]]:
    """(serial number, state) of every device that adb knows."""
    answer = _run([adb, "devices"], _SHORT)
    if answer.code != 0:
        raise RuntimeUnavailableError(
            f"adb does not answer: {_last_line(answer.text) or 'it took too long'}",
            hint="try 'adb devices'",
        )
    _, _, rows = answer.text.partition("List of devices attached")
    pairs = [row.partition("\t") for row in rows.splitlines() if "\t" in row]
    return [(serial.strip(), state.strip()) for serial, _, state in pairs]


def connected(serial: str | None = None) -> Device:
    """The device that is asked for.

    Args:
        serial: its serial number as `adb devices` has it; None for the one that ANDROID_SERIAL
            names, or else the only one.

    Raises:
        RuntimeUnavailableError: adb or the device is not there, or does not let itself be used.
        UsageError: several devices are there, and none was named.
    """
    adb = find_adb()
    devices = _listed(adb)
    asked = serial or os.environ.get("ANDROID_SERIAL") or None
    if asked is not None:
        devices = [(name, state) for name, state in devices if name == asked]
        if not devices:
            raise RuntimeUnavailableError(
                f"adb knows no device {readable(asked)}", hint="see 'adb devices'"
            )
    if not devices:
        raise RuntimeUnavailableError(
            "no Android device is connected",
            hint="connect one that has USB debugging on, or start an emulator",
        )
    if len(devices) > 1:
        names = ", ".join(readable(name) for name, _ in devices)
        raise UsageError(
            f"{len(devices)} devices are connected: {names}", hint="name one with --device"
        )
    ((name, state),) = devices
    if state != "device":
        hint = next((told for key, told in _STATES.items() if state.startswith(key)), None)
        raise RuntimeUnavailableError(f"device {readable(name)} is {readable(state)}", hint=hint)
    return Device(adb, name)


def check_program(path: str | None) -> Path:
    """Makes sure that a program for a device was named, and is one.

    Raises:
        UsageError: it was not, or is none.
    """
    if path is None:
        raise UsageError(
            "on a device LiteRT's benchmark_model runs the models, and it was not named",
            hint="--benchmark-model PATH, built for the device or fetched from LiteRT's releases",
        )
    _machine(Path(path))
    return Path(path)


def _machine(path: Path) -> str:
    """For which processors a program was built, in Android's words."""
    try:
        with path.open("rb") as file:
            head = file.read(20)
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", place=Place(file=str(path))) from None
    if len(head) < 20 or head[:4] != b"\x7fELF":  # noqa: PLR2004 - the length of what was read
        raise UsageError(
            "this is no program for Android",
            place=Place(file=str(path)),
            hint="--benchmark-model names the benchmark_model that was built for the device",
        )
    (machine,) = struct.unpack("<H" if head[5] == 1 else ">H", head[18:20])
    return _MACHINES.get(machine, f"machine {machine}")


class Device:
    """A device that is connected and lets itself be used.

    Args:
        adb: the adb program.
        serial: the serial number of the device.
    """

    def __init__(self, adb: str, serial: str) -> None:
        self.adb = adb
        self.serial = serial
        self._abis = self._property("ro.product.cpu.abilist").split(",")
        model = self._property("ro.product.model") or serial
        release = self._property("ro.build.version.release")
        system = f", Android {release}" if release else ""
        self.title = readable(f"{model} ({self._abis[0] or 'unknown processor'}{system})")

    def _property(self, name: str) -> str:
        answer = self.shell(["getprop", name], seconds=_SHORT)
        if answer.code != 0:
            raise RuntimeUnavailableError(
                f"device {readable(self.serial)} does not answer:"
                f" {_last_line(answer.text) or 'it took too long'}",
                hint="try 'adb shell'",
            )
        return answer.text.strip()

    def shell(self, command: list[str], *, seconds: float) -> Answer:
        """Runs a command on the device.

        Args:
            command: the program and its arguments.
            seconds: how long it may take.
        """
        line = " ".join(shlex.quote(part) for part in command)
        return _run([self.adb, "-s", self.serial, "shell", line], seconds)

    def push(self, source: Path, target: str) -> None:
        """Copies a file to the device.

        Raises:
            RuntimeUnavailableError: it did not get there.
        """
        answer = _run([self.adb, "-s", self.serial, "push", str(source), target], _PUSHING)
        if answer.code != 0:
            raise RuntimeUnavailableError(
                f"{readable(str(source))} cannot be copied to the device:"
                f" {_last_line(answer.text) or 'it took too long'}"
            )

    @contextlib.contextmanager
    def folder(self, program: Path) -> Iterator[str]:
        """A folder on the device with a program in it, which is taken away in the end.

        Raises:
            UsageError: the program was built for another processor.
            RuntimeUnavailableError: it cannot be copied there.
        """
        machine = _machine(program)
        if machine not in self._abis:
            raise UsageError(
                f"it is built for {machine}, the device takes {' and '.join(self._abis)}",
                place=Place(file=str(program)),
            )
        folder = f"{_HOME}/tflite-sparse-{secrets.token_hex(4)}"
        try:
            answer = self.shell(["mkdir", folder], seconds=_SHORT)
            if answer.code != 0:
                raise RuntimeUnavailableError(
                    f"nothing can be written on the device: {_last_line(answer.text)}"
                )
            self.push(program, f"{folder}/{program.name}")
            self.shell(["chmod", "755", f"{folder}/{program.name}"], seconds=_SHORT)
            yield folder
        finally:
            # A model that was given up may run still, and holds what is taken away.
            self.shell(["pkill", "-f", folder], seconds=_SHORT)
            self.shell(["rm", "-rf", folder], seconds=_SHORT)


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return readable(lines[-1]) if lines else ""
