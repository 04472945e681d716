"""Shortening names."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.real_models import real_model
from tflite_sparse.model import Model
from tflite_sparse.report.names import Apart, common_prefix, labels, layer_part, shorten


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


def test_a_few_names_of_other_kinds_do_not_hide_what_all_others_share() -> None:
    names = [f"model/net/block_{i}/conv" for i in range(9)]
    assert common_prefix([*names, "image/reversed"]) == "model/net/"
    assert common_prefix([*names[:3], "image/reversed"]) == ""


def test_what_tells_layers_apart_stays() -> None:
    names = [
        f"block_{i}_{kind}/convolution" for i in range(1, 17) for kind in ("expand", "project")
    ]
    apart = Apart(names)
    shorts = [apart.short(name, 17) for name in names]
    assert shorts[:2] == ["block_1_expand/…", "block_1_project/…"]
    assert shorts[-1] == "…_16_project/…"
    assert len({*shorts}) == len(names)


@pytest.mark.parametrize("room", [20, 24])
def test_the_classes_of_pytorch_do_not_hide_the_blocks(room: int) -> None:
    names = [
        f"torch.nn.modules.container.Sequential_blocks/__main__.Residual_{i}/{layer}"
        for i in range(3)
        for layer in (
            "torch.nn.modules.conv.Conv2d_expand;",
            "torch.nn.modules.conv.Conv2d_project;",
            "__main__.Excite_excite/torch.nn.modules.conv.Conv2d_squeeze;",
        )
    ]
    apart = Apart(names)
    shorts = [apart.short(name, room) for name in names]
    assert len({*shorts}) == len(names)
    for name, short in zip(names, shorts, strict=True):
        assert len(short) <= room
        assert re.search(r"Residual_(\d)", name)[1] in short


def test_what_a_rewrite_added_does_not_hide_the_layers() -> None:
    names = [f"conv2d_{i}/Conv2D_dequantize" for i in range(20)]
    apart = Apart(["image/reversed/axes", *names])
    assert apart.short("conv2d_7/Conv2D_dequantize", 12) == "conv2d_7/…"


@given(st.lists(st.text("ab1_/;", max_size=30), max_size=8), st.integers(1, 40))
def test_names_that_are_set_apart_fit_and_stay_apart_where_cutting_them_would(
    names: list[str], width: int
) -> None:
    apart = Apart(names)
    shorts = {name: apart.short(name, width) for name in names}
    assert all(len(short) <= width for short in shorts.values())
    cut = {name: shorten(name, width) for name in names}
    assert len({*shorts.values()}) >= len({*cut.values()}) - 1


@pytest.mark.parametrize("room", [20, 24])
@pytest.mark.parametrize("name", ["pose_detection", "face_detection_full_range_sparse"])
def test_layers_of_real_models_are_told_apart(name: str, room: int) -> None:
    model = Model.read(real_model(name))
    layers = [
        layer_part(operator.inputs[1].name, operator.name)
        for operator in model.subgraphs[0].operators
        if operator.name in {"CONV_2D", "DEPTHWISE_CONV_2D"} and operator.inputs[1] is not None
    ]
    prefix = common_prefix(layers)
    names = [layer.removeprefix(prefix) for layer in layers]
    apart = Apart(names)
    assert len({apart.short(n, room) for n in names}) == len({*names})


PYTORCH = [
    "torchvision.models.densenet.DenseNet/torch.nn.modules.container.Sequential_features/"
    f"torchvision.models.densenet._DenseBlock_denseblock{i}/"
    f"torchvision.models.densenet._DenseLayer_denselayer{j}/torch.nn.modules.conv.Conv2d_conv{k};"
    for i in (1, 2)
    for j in (1, 2, 12)
    for k in (1, 2)
]


def test_layers_of_pytorch_are_called_as_in_a_state_dict_where_room_is_little() -> None:
    prefix, names = labels([layer_part(name, "CONV_2D") for name in PYTORCH], 80, 30, 15)
    assert (
        prefix
        == "torchvision.models.densenet.DenseNet/torch.nn.modules.container.Sequential_features/"
    )
    assert names[0] == (
        "_DenseBlock_denseblock1/_DenseLayer_denselayer1/Conv2d_conv1",
        "denseblock1/denselayer1/conv1",
        "den1/den1/con1",
    )
    for column in zip(*names, strict=True):
        assert len({*column}) == len(PYTORCH)


def test_blocks_of_keras_are_told_apart_on_a_phone() -> None:
    names = [f"net/conv{i}_block{j}_concat_1/concat" for i in (2, 3) for j in (1, 2, 12)]
    _, shorts = labels(names, 15)
    assert shorts[0] == ("co2_bl1_co_1/co",)
    assert len({*shorts}) == len(names)


def test_a_sentence_is_cut_but_its_words_are_not() -> None:
    sentences = [f"{count} filters one by one, written into parts" for count in ("many", "few")]
    assert Apart(sentences).short(sentences[0], 12) == shorten(sentences[0], 12)


def test_what_adapting_adds_to_a_joined_name_stays() -> None:
    assert layer_part("m/conv_1;m/bn;/placed/filter_2", "CONV_2D") == "m/conv_1/placed/filter_2"
    assert layer_part("m/conv_1;1/inputs_4_8_of_8", "CONV_2D") == "m/conv_1/inputs_4_8_of_8"
    assert layer_part("m/conv_1;m/bn/scale", "CONV_2D") == "m/conv_1;…"
