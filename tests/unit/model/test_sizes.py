"""Models that leave sizes open: the sizes that they are looked at with, and what these make."""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as litert_schema

from tests.support.nets.builder import ModelBuilder
from tests.support.open_sizes import opened
from tflite_sparse.errors import UsageError
from tflite_sparse.model import Model
from tflite_sparse.model.macs import macs
from tflite_sparse.model.sizes.asked import default_sizes
from tflite_sparse.model.sizes.fix import fix_sizes, fixed_copy
from tflite_sparse.model.sizes.sized import InputShape, InputShapes, input_shapes_of, resize
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.plan_types import Outcome


def trunk(channels: int = 16) -> bytes:
    """An entry, 1x1 convolutions with enough zeros, and a map as the end."""
    builder = ModelBuilder()
    g = builder.graph()
    x = g.conv2d(g.pad_spatial(g.input((1, 32, 32, 3), name="image")), channels, 3, 2, "VALID")
    x = g.conv2d(x, channels, zeros=0.9, storage="sparse")
    gate = g.conv2d(g.mean(x, keep_dims=True), channels, zeros=0.9)
    g.output(g.conv2d(g.mul(x, gate), channels, zeros=0.9))
    return builder.build()


def open_model(axes=(1, 2), channels: int = 16) -> Model:
    return Model.read(opened(trunk(channels), axes))


def test_an_open_height_and_width_get_a_size_without_a_divisor_in_common_with_the_channels():
    model = open_model()
    sizes = input_shapes_of(model)
    assert sizes.words == "1x65x65x3"
    assert sizes.open_words == "height and width"
    assert [entry.source for entry in sizes.inputs] == ["default"]
    assert input_shapes_of(open_model(channels=20)).words == "1x67x67x3"


def test_the_default_size_is_above_one_and_coprime_to_every_number_of_channels():
    for channels in (*range(2, 24), 40, 65, 67, 80, 128, 1000):
        first = next(default_sizes(open_model(channels=channels).main))
        assert first > 1
        assert np.gcd(first, channels) == 1


def test_an_open_batch_is_what_stands_in_the_file():
    sizes = input_shapes_of(open_model((0,)))
    assert sizes.words == "1x32x32x3"
    assert not sizes.chosen


def test_all_tensors_have_the_shapes_of_the_size():
    model = open_model()
    resize(model, {"image": (1, 20, 24, 3)})
    shapes = [operator.outputs[0].shape for operator in model.main.operators]
    assert (1, 22, 26, 3) in shapes
    assert shapes[-1] == (1, 10, 12, 16)
    # What is written stays.
    assert model.main.inputs[0].shape_signature == (1, -1, -1, 3)
    assert Model.read(model.to_bytes()).main.inputs[0].shape == (1, 1, 1, 3)


def test_a_copy_has_the_size_too():
    model = open_model()
    resize(model, {"": (1, 20, 24, 3)})
    assert model.copy().main.outputs[0].shape == (1, 10, 12, 16)


def test_multiplications_are_counted_at_the_size():
    model, static = open_model(), Model.read(trunk())
    resize(model, {"": (1, 32, 32, 3)})
    assert [macs(o) for o in model.operators()] == [macs(o) for o in static.operators()]


def test_a_model_that_only_its_placeholders_make_right_computes_wrong_numbers():
    # The end of the cluster is a map: at 1x1 its two layouts are the same.
    assert plan(open_model().main, "wasm").outcome is Outcome.WRONG_NUMBERS
    assert plan(Model.read(trunk()).main, "wasm").outcome is Outcome.WRONG_NUMBERS


def test_a_plan_may_be_asked_for_at_a_size():
    model = open_model()
    small = plan(model.main, "wasm", input_shapes={"image": (1, 16, 16, 3)}).verdict.macs
    large = plan(model.main, "wasm", input_shapes={"image": (1, 64, 64, 3)}).verdict.macs
    assert large > 10 * small


@pytest.mark.parametrize(
    ("shapes", "batch", "message"),
    [
        ({"photo": (1, 8, 8, 3)}, None, "there is no input 'photo'; inputs: image"),
        ({"image": (1, 8, 3)}, None, r"is 1x\?x\?x3 in the file, which 1x8x3 does not fit"),
        ({"image": (1, 8, 8, 4)}, None, "which 1x8x8x4 does not fit"),
        ({"image": (1, 2**32, 1, 3)}, None, "1x4294967296x1x3 is more than a tensor can hold"),
        ({"image": (1, 2**16, 2**16, 3)}, None, "is more than a tensor can hold"),
        ({"image": (2, 8, 8, 3)}, None, "only sizes that the file leaves open"),
    ],
)
def test_a_size_that_cannot_be_is_refused(shapes, batch, message):
    with pytest.raises(UsageError, match=message):
        resize(open_model(), shapes, batch)


def test_a_size_that_an_operator_does_not_take_is_refused_by_its_name():
    builder = ModelBuilder()
    g = builder.graph()
    x = g.input((1, 32, 32, 3), name="image")
    g.output(g.reshape(g.conv2d(x, 8, stride=2), (1, 16 * 16 * 8)))
    model = Model.read(opened(builder.build()))
    with pytest.raises(UsageError, match="does not take these sizes: RESHAPE #1"):
        resize(model, {"": (1, 20, 20, 3)})
    resize(model, {"": (1, 32, 32, 3)})


def test_two_inputs_must_be_named():
    builder = ModelBuilder()
    g = builder.graph()
    a, b = g.input((1, 8, 8, 3), name="a"), g.input((1, 8, 8, 3), name="b")
    g.output(g.add(a, b))
    content = opened(builder.build())
    with pytest.raises(UsageError, match=r"name it: a=\.\.\., b=\.\.\."):
        resize(Model.read(content), {"": (1, 8, 8, 3)})
    with pytest.raises(UsageError, match="does not take these sizes: ADD #0"):
        resize(Model.read(content), {"a": (1, 8, 8, 3), "b": (1, 9, 9, 3)})
    assert resize(Model.read(content), {"a": (1, 9, 9, 3), "b": (1, 9, 9, 3)}).words == (
        "a 1x9x9x3, b 1x9x9x3"
    )


def test_sizes_behind_an_operator_that_nobody_knows_are_unknown():
    builder = ModelBuilder()
    g = builder.graph()
    x = g.input((1, 8, 8, 3))
    (x,) = g.op("Mystery", [x], [((1, 8, 8, 3), "FLOAT32")])
    g.output(g.conv2d(x, 4))
    sizes = input_shapes_of(Model.read(opened(builder.build())))
    assert sizes.unknown == "CONV_2D #1 reads what has no size ahead"


def test_a_model_of_fixed_size_leaves_no_size_open_in_any_tensor():
    model = open_model((0, 1, 2))
    fix_sizes(model, {"": (2, 20, 24, 3)})
    again = Model.read(model.to_bytes())
    assert all(tensor.shape_signature is None for tensor in again.main.tensors)
    assert again.main.inputs[0].shape == (2, 20, 24, 3)
    assert again.main.outputs[0].shape == (2, 10, 12, 16)
    assert input_shapes_of(again).inputs == ()


def test_a_batch_alone_does_not_fix_height_and_width():
    with pytest.raises(UsageError, match="needs them all; give them with --input-shape"):
        fix_sizes(open_model((0, 1, 2)), batch=1)
    model = open_model((0,))
    fix_sizes(model, batch=3)
    assert model.main.outputs[0].shape == (3, 16, 16, 16)


def test_a_model_that_takes_no_size_cannot_get_a_fixed_one():
    model = Model.read(trunk())
    filters = next(op for op in model.operators() if op.name == "CONV_2D").inputs[1]
    filters.table["shape"] = np.array((16, 3, 3, 2), np.int32)
    for axes in ((0,), (0, 1, 2)):
        with pytest.raises(UsageError, match="does not take its sizes: CONV_2D #1"):
            fixed_copy(Model.read(opened(model.to_bytes(), axes)), None)


def test_a_size_taken_from_a_shape_is_the_first_where_its_begin_is_masked():
    builder = ModelBuilder()
    g = builder.graph()
    x = g.input((1, 6, 8, 3))
    (shape,) = g.op("SHAPE", [x], [((4,), "INT32")])
    options = litert_schema.StridedSliceOptionsT()
    options.beginMask, options.shrinkAxisMask = 1, 1
    numbers = [g.constant(np.array([n], np.int32)) for n in (2, 3, 1)]
    (batch,) = g.op("STRIDED_SLICE", [shape, *numbers], [((), "INT32")], options)
    pack = litert_schema.PackOptionsT()
    pack.valuesCount = 2
    rest = g.constant(np.array(144, np.int32))
    (wanted,) = g.op("PACK", [batch, rest], [((2,), "INT32")], pack)
    g.output(g.op("RESHAPE", [x, wanted], [((1, 144), "FLOAT32")])[0])
    model = Model.read(opened(builder.build(), (1,)))
    resize(model, {"input": (1, 6, 8, 3)})
    assert model.main.outputs[0].shape == (1, 144)


def test_what_is_open_is_named_by_where_the_channels_are():
    def words(free):
        shape = tuple(max(size, 1) for size in free)
        return InputShapes((InputShape(0, "image", free, shape, "default"),)).open_words

    assert words((1, -1, -1, 3)) == "height and width"
    assert words((1, 3, -1, -1)) == "height and width"
    assert words((-1, 3, 32, -1)) == "batch and width"
    assert words((1, -1, -1, -1)) == "dimension 1, dimension 2 and dimension 3"
