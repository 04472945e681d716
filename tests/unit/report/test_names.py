"""Shortening names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tflite_sparse.report.names import common_prefix, layer_part, shorten


@given(st.text(), st.integers(1, 60))
def test_a_name_never_takes_more_room_than_it_has(name: str, width: int) -> None:
    assert len(shorten(name, width)) <= width


def test_both_ends_of_a_name_stay() -> None:
    short = shorten("conv2d_14/Conv2D_dequantize2", 20)
    assert short.startswith("conv2d")
    assert short.endswith("dequantize2")


def test_a_name_that_fits_is_left_alone() -> None:
    assert shorten("conv2d_14", 9) == "conv2d_14"


@pytest.mark.parametrize(
    ("operator", "part"),
    [
        ("CONV_2D", "m/conv2d_8/Conv2D;…"),
        ("DEPTHWISE_CONV_2D", "m/depthwise_conv2d_41/depthwise;…"),
        ("ADD", "m/batch_normalization_16/Fused;…"),
    ],
)
def test_a_joined_name_shows_the_layer_of_its_operator(operator: str, part: str) -> None:
    joined = "m/batch_normalization_16/Fused;m/depthwise_conv2d_41/depthwise;m/conv2d_8/Conv2D"
    assert layer_part(joined, operator) == part


def test_a_name_of_one_part_is_left_alone() -> None:
    assert layer_part("m/dense/MatMul", "CONV_2D") == "m/dense/MatMul"


@pytest.mark.parametrize(
    ("names", "prefix"),
    [
        (["m/a/x", "m/a/y", "m/b"], "m/"),
        (["m/conv2d_1", "m/conv2d_2"], "m/"),
        (["a", "b"], ""),
        (["m/only"], ""),
        ([], ""),
        (["m/a", "m/a"], "m/"),
    ],
)
def test_the_common_prefix_ends_at_a_scope(names: list[str], prefix: str) -> None:
    assert common_prefix(names) == prefix
