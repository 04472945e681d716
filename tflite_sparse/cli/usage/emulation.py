"""Options that say which processor is emulated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.errors import UsageError
from tflite_sparse.words.near import did_you_mean, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tflite_sparse.runtime.litert.processor import Emulation

__all__ = ["ARM64", "X86", "emulation_asked", "refuse_release_on_arm", "with_values"]

X86, ARM64 = "x86-noavx", "arm64"
_OPTION = "--emulate"


def with_values(words: Sequence[str]) -> list[str]:
    """The words of a command line, where --emulate without a value says what it stands for.

    Args:
        words: the words.
    """
    return list(_with_values(words))


def _with_values(words: Sequence[str]) -> Iterator[str]:
    for place, word in enumerate(words):
        if word == "--":
            yield from words[place:]
            return
        yield word
        if word == _OPTION and not _is_processor(words[place + 1 : place + 2]):
            yield X86


def _is_processor(following: Sequence[str]) -> bool:
    """Whether a word names a processor, or is meant to: a model has a dot in its name."""
    return any("." not in word and nearest(word, (X86, ARM64, "aarch64")) for word in following)


def emulation_asked(
    emulate: str | None, cpu: str | None = None, *, fp16: bool = False
) -> Emulation | None:
    """The processor that options ask for.

    Args:
        emulate: the kind of processor; None for that of this machine.
        cpu: the processor of 64-bit Arm; None for the usual one.
        fp16: whether arithmetic in half precision is forced.

    Raises:
        UsageError: there is no such processor.
    """
    from tflite_sparse.runtime.litert.processor import NEHALEM

    if emulate != ARM64:
        for option, given in (("--cpu", cpu is not None), ("--fp16", fp16)):
            if given:
                hint = f"add --emulate {ARM64}"
                raise UsageError(f"{option} is for an emulated Arm processor", hint=hint)
    if emulate is None:
        return None
    if emulate == X86:
        return NEHALEM
    if emulate != ARM64:
        raise UsageError(
            f"{emulate!r} is no processor to emulate",
            hint=f"{did_you_mean(emulate, (X86, ARM64))}there are: {X86}, {ARM64}",
        )
    from tflite_sparse.runtime.arm64.processors import DEFAULT, emulated

    return emulated(cpu or DEFAULT, fp16=fp16)


def refuse_release_on_arm(runtime: str | None) -> None:
    """Refuses a release of LiteRT where Arm is emulated.

    Args:
        runtime: the release that was asked for; None for none.

    Raises:
        UsageError: one was asked for.
    """
    if runtime:
        raise UsageError(
            "--runtime means nothing on emulated Arm, which has a LiteRT of its own",
            hint="leave out --runtime, or emulate another processor",
        )
