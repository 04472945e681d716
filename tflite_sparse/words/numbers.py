"""Numbers, sizes and shares as people read them."""

from __future__ import annotations

__all__ = [
    "count_of",
    "kib",
    "listing",
    "millions",
    "percent",
    "rounded_percent",
    "same_problem",
    "shape",
    "share",
    "size",
    "thousands",
    "type_name",
]

_STEPS = ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))
_SHORT_TYPES = {"FLOAT32": "fp32", "FLOAT16": "fp16", "FLOAT64": "fp64", "BFLOAT16": "bf16"}


def thousands(number: int) -> str:
    """A number with commas: 1,234,567."""
    return f"{number:,}"


def size(count: int) -> str:
    """A number of bytes in its largest unit with three digits or so: "664.8 KiB"."""
    for unit, name in _STEPS:
        if count >= unit:
            return f"{count / unit:,.1f} {name}"
    return f"{count:,} B"


def kib(count: int) -> str:
    """A number of bytes in KiB, for columns."""
    return f"{count / 1024:,.1f}"


def percent(part: int, whole: int) -> str:
    """A share such as "69.5 %"; only what is exactly none or all shows as 0 or 100 %.

    Args:
        part: the part.
        whole: the whole.
    """
    if not whole:
        return "0 %"
    # Integers are divided before anything is rounded, so that no shape is too large for it.
    value = 100 * part / whole
    if part in {0, whole}:
        return f"{value:.0f} %"
    return f"{min(max(value, 0.1), 99.9):.1f} %"


def rounded_percent(share: float, digits: int = 0) -> str:
    """A share from 0 to 1 as "70 %".

    Args:
        share: the share.
        digits: how many digits stand behind the point.
    """
    return f"{100 * share:.{digits}f} %"


def share(part: float, whole: float) -> float:
    """The part of a whole as a number from 0 to 1; 0 of an empty whole."""
    return part / whole if whole else 0.0


def shape(sizes: tuple[int, ...]) -> str:
    """A shape such as "32x1x1x8"; "scalar" for none."""
    return "x".join("?" if size < 0 else str(size) for size in sizes) or "scalar"


def count_of(number: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun: "1 subgraph", "388 operators"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def same_problem(others: int) -> str:
    """How a sentence about one operator goes on: "3 other operators have the same problem"."""
    verb = "has" if others == 1 else "have"
    return f"{count_of(others, 'other operator')} {verb} the same problem"


def type_name(kind: str) -> str:
    """A short name of an element type: "fp16", "int8"."""
    return _SHORT_TYPES.get(kind, kind.lower())


def millions(number: int) -> str:
    """A large number in millions, "429.9 M"; one below ten millions in full."""
    if number < 10_000_000:  # noqa: PLR2004 - where a digit behind the point says too little
        return thousands(number)
    tenths = (number + 50_000) // 100_000
    return f"{tenths // 10:,}.{tenths % 10} M"


def listing(names: list[str]) -> str:
    """Names in a sentence: "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
