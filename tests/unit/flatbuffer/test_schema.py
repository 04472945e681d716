"""The parser of the schema: what it understands, and what it refuses with the line."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tflite_sparse.errors import FormatError
from tflite_sparse.flatbuffer.schema import FieldDef, parse, schema

ROOT = Path(__file__).parents[3]

SMALL = """
// a comment { that ends with the line
namespace some.where;
file_identifier "ABCD";
file_extension "abc";
attribute "priority";
enum Colour : byte { RED, GREEN = 5, BLUE, DARK = -1 (deprecated) }
enum Wide : uint64 (bit_flags) { MOST = 0xffffffffffffffff, }
/* a comment
   of two lines */
table Leaf (deprecated) {}
table Twig { leaf: Leaf; }
union Part { Leaf, Twig = 4 (deprecated), }
table Tree {
  name: string;
  part: Part;
  colour: Colour = BLUE;
  shades: [Colour];
  twigs: [Twig];
  words: [string];
  data: [ubyte] (force_align: 16, priority: 3);
  height: float = -1.5e-3;
  old: long = 7 (deprecated);
  grown: bool = true;
  leaf: Leaf;
}
root_type Tree;
"""


def test_each_kind_of_field_has_its_definition():
    assert parse(SMALL).root.fields == (
        FieldDef("name", 0, "string"),
        FieldDef("part_type", 1, "scalar", "u1", enum="Part", default=0),
        FieldDef("part", 2, "union", union="Part"),
        FieldDef("colour", 3, "scalar", "i1", enum="Colour", default=6),
        FieldDef("shades", 4, "vector_scalar", "i1", enum="Colour"),
        FieldDef("twigs", 5, "vector_table", table="Twig"),
        FieldDef("words", 6, "vector_string"),
        FieldDef("data", 7, "vector_scalar", "u1", force_align=16),
        FieldDef("height", 8, "scalar", "f4", default=-1.5e-3),
        FieldDef("old", 9, "scalar", "i8", default=7, deprecated=True),
        FieldDef("grown", 10, "scalar", "b1", default=True),
        FieldDef("leaf", 11, "table", table="Leaf"),
    )


def test_enums_count_on_from_the_last_number_and_unions_from_one():
    small = parse(SMALL)
    assert small.enums["Colour"].scalar == "i1"
    assert small.enums["Colour"].values == {"RED": 0, "GREEN": 5, "BLUE": 6, "DARK": -1}
    assert small.enums["Colour"].names[6] == "BLUE"
    assert small.enums["Wide"].values == {"MOST": 2**64 - 1}
    union = small.unions["Part"]
    assert union.scalar == "u1"
    assert union.members == {1: "Leaf", 4: "Twig"}
    assert union.values == {"NONE": 0, "Leaf": 1, "Twig": 4}
    assert union.names == {0: "NONE", 1: "Leaf", 4: "Twig"}


def test_the_root_the_identifier_and_the_order_of_tables():
    small = parse(SMALL)
    assert small.root is small.tables["Tree"]
    assert small.identifier == b"ABCD"
    assert [table.name for table in small.parents_first] == ["Tree", "Twig", "Leaf"]
    assert small.root.by_name["height"] is small.root.fields[8]


def test_ids_give_the_order_of_the_slots():
    text = "table T { b: int (id: 3); u: U (id: 2); a: int (id: 0); } table V {} union U { V } "
    fields = parse(text + "root_type T;").root.fields
    assert [(field.slot, field.name) for field in fields] == [
        (0, "a"),
        (1, "u_type"),
        (2, "u"),
        (3, "b"),
    ]


WRONG = {
    "no semicolon": ("table T {\n a: int\n}", 3, "; wanted, } found"),
    "cut short": ("table T {\n a: int;\n", 3, "unexpected end"),
    "unknown character": ("table T {\n a: int = §;\n}", 2, "unexpected '§'"),
    "open comment": ("/* no end", 1, "unexpected '/'"),
    "unknown declaration": ("\nstruct S {}", 2, "unknown declaration struct"),
    "number for a name": ("table\n5 {}", 2, "a name wanted, 5 found"),
    "unknown type": ("table T {\n a: int;\n b: What;\n}", 3, "unknown type What"),
    "vector of vectors": ("table T { a: [[int]]; }", 1, "a name wanted"),
    "vector of unions": ("union U { V }\ntable V {}\ntable T {\n a: [U]; }", 4, "vector of unions"),
    "default out of range": ("table T {\n a: ubyte = 256; }", 2, "a = 256 is no ubyte"),
    "fraction": ("table T {\n a: int = 1.5; }", 2, "a = 1.5 is no int"),
    "default of another enum": (
        "enum E : byte { A }\ntable T { a: E = B; }",
        2,
        "a = B is no E",
    ),
    "no truth value": ("table T { a: bool = maybe; }", 1, "a = maybe is no bool"),
    "default of a string": ('table T { a: string = "x"; }', 1, "a can have no default"),
    "default of a vector": ("table T { a: [int] = 3; }", 1, "a can have no default"),
    "alignment": ("table T { a: [int] (force_align: big); }", 1, "(force_align: big)"),
    "two fields": ("table T {\n a: int;\n a: int;\n}", 3, "two fields a"),
    "field beside a union's type": (
        "union U { V }\ntable V {}\ntable T { u: U; u_type: int; }",
        3,
        "two fields of one name",
    ),
    "two tables": ("table T {}\ntable T {}", 2, "T is declared twice"),
    "table and enum": ("table T {}\nenum T : byte { A }", 2, "T is declared twice"),
    "value twice": ("enum E : byte { A, B,\n C = 1 }", 2, "C = 1 stands here twice"),
    "value out of range": ("enum E : byte { A = 200 }", 1, "A = 200 is no byte"),
    "value that is no number": ("enum E : byte { A = x }", 1, "a whole number wanted, x found"),
    "enum of floats": ("\nenum E : float { A }", 2, "enum E on the type float"),
    "enum without a type": ("enum E { A }", 1, ": wanted, { found"),
    "union of nothing": ("\nunion U { Nowhere }", 2, "Nowhere = 1 is no member"),
    "union number": ("union U { V = 0 }\ntable V {}", 1, "V = 0 is no member"),
    "gap in ids": ("table T {\n a: int (id: 0);\n b: int (id: 2);\n}", 3, "b must have (id: 1)"),
    "some ids": ("table T {\n a: int (id: 0);\n b: int;\n}", 3, "b must have (id: 0)"),
    "identifier": ('file_identifier "TOOLONG";', 1, "four characters"),
    "table in itself": ("table T {\n t: T; }\nroot_type T;", 1, "table T contains itself"),
    "no root": ("table T {}", 1, "names no root table"),
    "root of nothing": ("root_type Nowhere;", 1, "names no root table"),
}


@pytest.mark.parametrize(("text", "line", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_refused_with_its_line(text, line, message):
    with pytest.raises(FormatError) as caught:
        parse(text, "some.fbs")
    assert message in caught.value.message
    assert caught.value.message.startswith(f"line {line}: ")
    assert caught.value.place.file == "some.fbs"


def test_the_schema_cut_anywhere_is_refused_or_whole():
    text = (ROOT / "schema" / "tflite.fbs").read_text("utf-8").rstrip()
    for length in np.random.default_rng(0).integers(0, len(text), 40).tolist():
        with pytest.raises(FormatError):
            parse(text[:length])


def test_the_format_of_tflite_files():
    known = schema()
    assert known is schema()
    assert known.identifier == b"TFL3"
    assert known.root is known.tables["Model"]
    assert known.tables["Operator"].by_name["debug_metadata_index"].default == -1
    assert known.enums["BuiltinOperator"].names[3] == "CONV_2D"
    assert known.unions["BuiltinOptions2"].members[1] == "StablehloConcatenateOptions"


def test_bytes_that_the_runtime_reads_in_place_keep_their_alignment():
    # Generated Python code does not show force_align, so the tests of drift cannot see it.
    aligned = {
        f"{table.name}.{field.name}": field.force_align
        for table in schema().tables.values()
        for field in table.fields
        if field.force_align
    }
    assert aligned == {
        "Buffer.data": 16,
        "CustomQuantization.custom": 16,
        "Uint16Vector.values": 4,
        "Uint8Vector.values": 4,
    }


def test_fields_of_an_enum_name_it_where_their_numbers_have_names():
    # Generated Python code shows only the numbers.
    fields = [field for table in schema().tables.values() for field in table.fields]
    assert {(field.name, field.enum) for field in fields if field.enum} == {
        ("algorithm", "RngAlgorithm"),
        ("array_indices_type", "SparseIndexVector"),
        ("array_segments_type", "SparseIndexVector"),
        ("builtin_code", "BuiltinOperator"),
        ("builtin_options_2_type", "BuiltinOptions2"),
        ("builtin_options_type", "BuiltinOptions"),
        ("combiner", "CombinerType"),
        ("compare_type", "StablehloComparisonType"),
        ("comparison_direction", "StablehloComparisonDirection"),
        ("composite_attributes_format", "CustomOptionsFormat"),
        ("custom_options_format", "CustomOptionsFormat"),
        ("details_type", "QuantizationDetails"),
        ("format", "DimensionType"),
        ("fused_activation_function", "ActivationFunctionType"),
        ("idx_out_type", "TensorType"),
        ("in_data_type", "TensorType"),
        ("kernel_type", "LSTMKernelType"),
        ("key_dtype", "TensorType"),
        ("mode", "MirrorPadMode"),
        ("out_data_type", "TensorType"),
        ("out_type", "TensorType"),
        ("output_type", "TensorType"),
        ("padding", "Padding"),
        ("precision_config", "StablehloPrecisionConfig"),
        ("quantized_bias_type", "TensorType"),
        ("reduce_function", "ReduceWindowFunction"),
        ("type", "LSHProjectionType"),
        ("type", "TensorType"),
        ("value_dtype", "TensorType"),
        ("weights_format", "FullyConnectedOptionsWeightsFormat"),
    }
    single = {field.name for field in fields if field.scalar == "i1" and field.enum is None}
    assert single == {"deprecated_builtin_code"}


@pytest.mark.parametrize("inside", [True, False], ids=["installed", "checkout"])
def test_the_schema_is_found_in_a_checkout_and_in_an_installed_package(tmp_path, inside):
    shutil.copytree(ROOT / "tflite_sparse" / "flatbuffer", tmp_path / "tflite_sparse/flatbuffer")
    shutil.copytree(ROOT / "tflite_sparse" / "files", tmp_path / "tflite_sparse/files")
    for name in ("__init__.py", "threads.py", "_version.py", "errors.py"):
        shutil.copy(ROOT / "tflite_sparse" / name, tmp_path / "tflite_sparse" / name)
    folder = tmp_path / "tflite_sparse" if inside else tmp_path
    shutil.copytree(ROOT / "schema", folder / "schema")
    code = (
        "from tflite_sparse.errors import FileError\n"
        "from tflite_sparse.flatbuffer import schema as module\n"
        "assert module.schema.cache_info().currsize == 0\n"
        "try: print(module.__file__, module.schema().root.name)\n"
        "except FileError as error: print(error)\n"
    )

    def run() -> str:
        command = [sys.executable, "-c", code]
        return subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout

    assert run().split() == [str(tmp_path / "tflite_sparse/flatbuffer/schema.py"), "Model"]
    shutil.rmtree(folder / "schema")
    assert "without its schema" in run()
