"""What was recorded of the cases is what LiteRT does now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.runtime_model.cases import CASES, possible
from tests.runtime_model.observe import observe
from tests.runtime_model.record import plain, recorded
from tests.support.emulator import needs_emulator
from tflite_sparse.runtime.litert.processor import native_target

if TYPE_CHECKING:
    from tests.runtime_model.observe import Observation

BATCH = 25
NAMES = list(CASES)

each_batch = pytest.mark.parametrize("first", range(0, len(NAMES), BATCH))


def changed(names: list[str], where: str) -> list[str]:
    """Cases that do not come out as recorded, with what did."""
    told = recorded()
    found = observe([CASES[name].build() for name in names], emulate=where == "emulated")
    return [
        f"{name}: {seen}"
        for name, seen in zip(names, found, strict=True)
        if what(seen.to_dict()) != what(told[name][where]) and not lucky(name, where, seen)
    ]


def lucky(name: str, where: str, seen: Observation) -> bool:
    """Whether the case reads past the end of memory, where what comes of it is not fixed."""
    may = possible(CASES[name].expect) if where == "emulated" else set()
    return len(may) > 1 and seen.outcome in may


def what(observation: dict[str, Any]) -> dict[str, Any]:
    """All but the difference, which rounding and what lies in memory decide."""
    kept = {key: value for key, value in observation.items() if key != "difference"}
    return {**kept, "partitions": plain(observation["partitions"])}


@needs_emulator
@each_batch
def test_emulated_without_avx(first: int) -> None:
    assert changed(NAMES[first : first + BATCH], "emulated") == []


@each_batch
def test_on_this_machine(first: int) -> None:
    assert native_target() == "x86-avx", "what runs natively was recorded on x86 with AVX"
    assert changed(NAMES[first : first + BATCH], "native") == []
