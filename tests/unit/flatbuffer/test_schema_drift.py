"""The stated format is the one that others read: the LiteRT wheel's, and the tflite package's."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest
import tflite
from ai_edge_litert import schema_py_generated as litert

from tests.support.peers.generated_schema import Form, differences, form_of_module, form_of_schema
from tflite_sparse.flatbuffer.schema import parse, schema

TEXT = (Path(__file__).parents[3] / "schema" / "tflite.fbs").read_text("utf-8")


@functools.cache
def form(module) -> Form:
    return form_of_module(module)


def changed(old: str, new: str) -> Form:
    """The stated format with one place of its text replaced."""
    assert TEXT.count(old) == 1, old
    return form_of_schema(parse(TEXT.replace(old, new)))


def test_the_schema_is_exactly_that_of_the_litert_wheel():
    assert differences(form_of_schema(schema()), form(litert), complete=True) == []


def test_all_that_the_tflite_package_reads_is_the_same_in_the_schema():
    assert differences(form_of_schema(schema()), form(tflite), complete=False) == []


def test_the_readers_are_seen_whole():
    seen = form(litert)
    assert len(seen.slots) == len(schema().tables)
    assert len(seen.values) == len(schema().enums) + len(schema().unions)
    assert sum(len(fields) for fields in seen.fields.values()) > 300
    assert len(form(tflite).slots) > 140


def test_every_union_field_of_the_wheel_names_its_union():
    unions = {
        f"{table}.{name}": field.type
        for table, fields in form(litert).fields.items()
        for name, field in fields.items()
        if field.kind == "union"
    }
    assert unions == {
        "QuantizationParameters.Details": "QuantizationDetails",
        "DimensionMetadata.ArraySegments": "SparseIndexVector",
        "DimensionMetadata.ArrayIndices": "SparseIndexVector",
        "Operator.BuiltinOptions": "BuiltinOptions",
        "Operator.BuiltinOptions2": "BuiltinOptions2",
    }


CHANGES = {
    "slot": (
        "  stride_w: int;\n  stride_h: int;\n  depth_multiplier: int;",
        "  stride_w: int;\n  depth_multiplier: int;\n  stride_h: int;",
        ["DepthwiseConv2DOptions.DepthMultiplier", "DepthwiseConv2DOptions.StrideH"],
    ),
    "default": ("version: int = 1;", "version: int;", ["OperatorCode.Version"]),
    "type": ("  zero_point: [long];", "  zero_point: [int];", ["QuantizationParameters.ZeroPoint"]),
    "vector": ("  min: [float];", "  min: float;", ["QuantizationParameters.Min"]),
    "table": ("[SignatureDef]", "[TensorMap]", ["Model.SignatureDefs"]),
    "union of a field": (
        "builtin_options: BuiltinOptions;",
        "builtin_options: BuiltinOptions2;",
        ["Operator.BuiltinOptions"],
    ),
    "base type of an enum": (
        "enum Padding : byte",
        "enum Padding : int",
        [
            f"{table}.Padding"
            for table in (
                "Conv2DOptions",
                "Conv3DOptions",
                "DepthwiseConv2DOptions",
                "Pool2DOptions",
                "TransposeConvOptions",
            )
        ],
    ),
    "value of an enum": ("INT4 = 17", "INT4 = 30", ["TensorType.INT4"]),
    "members of a union": (
        "  PadOptions,\n  GatherOptions,",
        "  GatherOptions,\n  PadOptions,",
        ["BuiltinOptions.GatherOptions", "BuiltinOptions.PadOptions"],
    ),
    "name of a field": (
        "has_side_effect: bool",
        "side_effect: bool",
        ["StablehloCustomCallOptions.HasSideEffect", "StablehloCustomCallOptions.SideEffect"],
    ),
    "deprecated field in use": (
        "deprecated_tag: string (deprecated)",
        "deprecated_tag: string",
        ["SignatureDef.DeprecatedTag"],
    ),
    "dropped field": (
        "  packing: string;\n",
        "",
        ["ExternalBuffer", "ExternalBuffer.Packing"],
    ),
    "added field": (
        "  packing: string;\n",
        "  packing: string;\n  more: int;\n",
        ["ExternalBuffer", "ExternalBuffer.More"],
    ),
    "added value": (
        "STABLEHLO_CASE = 209,",
        "STABLEHLO_CASE = 209, NEW = 210",
        ["BuiltinOperator.NEW"],
    ),
    "added table": ("root_type Model;", "table New {}\nroot_type Model;", ["New"]),
    "identifier": ('"TFL3"', '"TFL4"', [""]),
}


@pytest.mark.parametrize(("old", "new", "places"), CHANGES.values(), ids=CHANGES)
def test_a_change_of_the_schema_is_seen(old, new, places):
    found = differences(changed(old, new), form(litert), complete=True)
    assert {line.split(": ")[1].split(" ")[0] for line in found} >= {
        place for place in places if place
    }
    assert len(found) == len(places)


@pytest.mark.parametrize(
    "kind",
    ["slot", "default", "type", "vector", "table", "value of an enum", "members of a union"],
)
def test_a_change_is_seen_by_a_package_that_lags_too(kind):
    old, new, places = CHANGES[kind]
    assert len(differences(changed(old, new), form(tflite), complete=False)) == len(places)


def test_a_package_that_lags_may_lack_what_is_new_but_not_have_what_the_schema_lacks():
    ours, theirs = form_of_schema(schema()), form(tflite)
    assert "ExternalBuffer" not in theirs.slots
    assert ours.slots["Model"] > theirs.slots["Model"]
    assert differences(theirs, ours, complete=False) != []
