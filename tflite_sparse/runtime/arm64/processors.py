"""The Arm processors that qemu emulates, and what their system says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.errors import UsageError
from tflite_sparse.runtime.litert.processor import Emulation

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["DEFAULT", "PROCESSORS", "ArmProcessor", "describe", "emulated", "processor"]


class ArmProcessor(msgspec.Struct, frozen=True):
    """A processor as qemu and /proc/cpuinfo name it.

    Attributes:
        name: what users ask for.
        title: its name for people.
        part: "CPU part" in /proc/cpuinfo, by which XNNPACK picks microkernels (cpuinfo's
            src/arm/uarch.c).
        variant: "CPU variant" there.
        features: "Features" there.
        emulated: qemu's name of it.
    """

    name: str
    title: str
    part: str
    variant: str
    features: str
    emulated: str

    @property
    def half(self) -> bool:
        """Whether it computes in half precision."""
        return "asimdhp" in self.features.split()


_V8 = "fp asimd evtstrm aes pmull sha1 sha2 crc32"
_V8_2 = f"{_V8} atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp"
_V9 = f"{_V8_2} sve sve2 i8mm bf16 svei8mm svebf16 sme smef32f32"

PROCESSORS = (
    ArmProcessor("cortex-a53", "Cortex-A53", "0xd03", "0x0", _V8, "cortex-a53"),
    # qemu 7.2 has no A55: an A76 has the same instructions, and says that it is an A55.
    ArmProcessor("cortex-a55", "Cortex-A55", "0xd05", "0x1", _V8_2, "cortex-a76"),
    ArmProcessor("cortex-a76", "Cortex-A76", "0xd0b", "0x3", _V8_2, "cortex-a76"),
    ArmProcessor("max", "Arm with SVE2 and SME", "0xd82", "0x0", _V9, "max"),
)
"""The processors, each with other microkernels."""

DEFAULT = "cortex-a76"
"""The one that is taken unless another is asked for."""


def processor(name: str) -> ArmProcessor:
    """The processor of a name.

    Raises:
        UsageError: there is none.
    """
    for each in PROCESSORS:
        if each.name == name:
            return each
    names = ", ".join(each.name for each in PROCESSORS)
    raise UsageError(f"no processor {name!r} is emulated", hint=f"there are: {names}")


def emulated(name: str, *, fp16: bool = False, counting: bool = False) -> Emulation:
    """A processor to be emulated.

    Args:
        name: its name.
        fp16: whether arithmetic in half precision is forced.
        counting: whether instructions are counted, for which a C compiler is needed.

    Raises:
        UsageError: there is none of that name.
    """
    each = processor(name)
    target = "arm64-fp16" if fp16 else "arm64"
    return Emulation(each.name, target, f"an emulated {each.title}", counting)


def describe(each: ArmProcessor, root: Path) -> None:
    """Writes what the system of one core would say below a folder, as /proc and /sys.

    Without it the runtime reads the /proc/cpuinfo of the machine, finds no Arm core there, and
    crashes while it starts.

    Args:
        each: the processor.
        root: the folder that stands for /.
    """
    (root / "proc").mkdir(parents=True)
    (root / "proc" / "cpuinfo").write_text(
        "processor\t: 0\n"
        "BogoMIPS\t: 38.40\n"
        f"Features\t: {each.features}\n"
        "CPU implementer\t: 0x41\n"
        "CPU architecture: 8\n"
        f"CPU variant\t: {each.variant}\n"
        f"CPU part\t: {each.part}\n"
        "CPU revision\t: 1\n\n",
        "ascii",
    )
    cpus = root / "sys" / "devices" / "system" / "cpu"
    cpus.mkdir(parents=True)
    for name in ("possible", "present", "online"):
        (cpus / name).write_text("0\n", "ascii")
