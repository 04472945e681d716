"""Numbers of pictures and of the script's data."""

from __future__ import annotations

import base64

import pytest

from tflite_sparse.report.html.data import pack_bits, pack_levels
from tflite_sparse.report.html.svg.element import svg_number


@pytest.mark.parametrize(
    ("value", "text"), [(1.0, "1"), (0.25, "0.2"), (10.04, "10"), (100, "100")]
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert svg_number(value) == text


def test_levels_and_bits_are_packed_from_the_high_end() -> None:
    assert base64.b64decode(pack_levels([15, 1, 2])) == bytes([0xF1, 0x20])
    assert base64.b64decode(pack_bits([True] + [False] * 7 + [True])) == bytes([0x80, 0x80])
