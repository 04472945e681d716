"""Flatbuffers made by hand, for what no builder would write."""

from __future__ import annotations

import struct

__all__ = ["Forge"]


class Forge:
    """Hand-made flatbuffers, one damaged thing each."""

    def __init__(self) -> None:
        self.out = bytearray(b"\0\0\0\0TFL3")

    def u32(self, value: int) -> int:
        self.out += bytes(-len(self.out) % 4)
        self.out += struct.pack("<I", value)
        return len(self.out) - 4

    def table(self, **slots: tuple[int, int]) -> dict[str, int]:
        """A table with `slot_n=(width, value)` fields; the place of each field by name."""
        self.out += bytes(-len(self.out) % 4)
        numbers = {int(name.removeprefix("slot_")): width for name, (width, _) in slots.items()}
        count = max(numbers, default=-1) + 1
        places, cursor = [0] * count, 4
        for slot, width in numbers.items():
            cursor += -cursor % width
            places[slot] = cursor
            cursor += width
        vtable = struct.pack(f"<{count + 2}H", 4 + 2 * count, cursor, *places)
        at = len(self.out)
        self.out += vtable + bytes(-len(vtable) % 8)
        start = len(self.out)
        self.out += bytes(cursor)
        struct.pack_into("<i", self.out, start, start - at)
        found = {"start": start}
        for name, (width, value) in slots.items():
            place = start + places[int(name.removeprefix("slot_"))]
            self.out[place : place + width] = value.to_bytes(width, "little")
            found[name] = place
        return found

    def point(self, place: int, target: int) -> None:
        struct.pack_into("<I", self.out, place, target - place)

    def model(self, **slots: tuple[int, int]) -> dict[str, int]:
        found = self.table(slot_0=(4, 3), **slots)
        self.point(0, found["start"])
        struct.pack_into("<I", self.out, 0, found["start"])
        return found
