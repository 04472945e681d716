"""Values of options as users write them."""

from __future__ import annotations

import pytest
import typer

from tflite_sparse.cli.values import parse_input_shapes, parse_share, parse_size
from tflite_sparse.errors import UsageError


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("4096", 4096),
        ("64K", 65536),
        ("64 KiB", 65536),
        ("1.5m", 1572864),
        ("1GiB", 2**30),
        ("64kB", 64_000),
        ("64KB", 64_000),
        ("1GB", 10**9),
    ],
)
def test_sizes_may_have_units(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "x", "-1", "1T", "1 2", "1e999"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "share"), [("0", 0.0), ("0.7", 0.7), ("70%", 0.7), ("70 %", 0.7), ("100%", 1.0)]
)
def test_shares_may_be_percentages(text: str, share: float) -> None:
    assert parse_share(text) == share


@pytest.mark.parametrize("text", ["", "x", "70", "-1%", "101%", "nan"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_share(text)


@pytest.mark.parametrize(
    ("texts", "shapes"),
    [
        (None, {}),
        (["1,224,224,3"], {"": (1, 224, 224, 3)}),
        (["1x8x8x3"], {"": (1, 8, 8, 3)}),
        (["a=1,2", "b=3"], {"a": (1, 2), "b": (3,)}),
        (["scope/x=y:0=1,2"], {"scope/x=y:0": (1, 2)}),
    ],
)
def test_shapes_of_inputs_may_have_names(texts, shapes):
    assert parse_input_shapes(texts) == shapes


@pytest.mark.parametrize("text", ["", "a=", "1,,2", "1,-1,3", "0", "1.5", "=", "axb"])
def test_what_is_no_shape_is_refused(text):
    with pytest.raises(UsageError, match="is no shape of an input"):
        parse_input_shapes([text])
