"""Names from a file, made fit to be shown."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tflite_sparse.words.names import layer_path, readable, without_modules


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("model/conv2d;x", "model/conv2d;x"),
        ("größe", "größe"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\nb", "a\\x0ab"),
        (b"\xff".decode("utf-8", "surrogateescape"), "\\xff"),
        ("\u202e", "\\u202e"),
    ],
)
def test_names_are_shown_without_what_is_not_text(name: str, shown: str) -> None:
    assert readable(name) == shown


@given(st.binary())
def test_any_bytes_become_text_for_json_and_terminals(raw: bytes) -> None:
    shown = readable(raw.decode("utf-8", "surrogateescape"))
    assert shown.isprintable()
    json.dumps(shown).encode()


def test_a_layer_of_pytorch_is_called_as_in_a_state_dict() -> None:
    name = (
        "timm.models.starnet.StarNet/torch.nn.modules.container.Sequential_stages/"
        "torch.nn.modules.container.Sequential_0/timm.models.starnet.Block_1/"
        "torch.nn.modules.batchnorm.BatchNorm2d_bn"
    )
    assert layer_path(name) == "StarNet/stages/0/1/bn"
    assert without_modules(name) == "StarNet/Sequential_stages/Sequential_0/Block_1/BatchNorm2d_bn"
    assert layer_path("net/conv2d_1.2/Conv2D") == "net/conv2d_1.2/Conv2D"
