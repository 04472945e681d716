"""What the page says of weights in other numbers is near to what `compress` makes of the file."""

from __future__ import annotations

import pytest

import tflite_sparse
from tests.support.nets.small_nets import build, head
from tests.unit.rewrite.storage.values import FP16, INT8, written
from tflite_sparse.inspection.survey import survey
from tflite_sparse.lint.savings import values_saving
from tflite_sparse.model import Model
from tflite_sparse.report.html.subject import PageModel
from tflite_sparse.report.html.views.sizes import sizes_view
from tflite_sparse.storage.values.options import StoredValues
from tflite_sparse.xnnpack.releases.targets import target


def net(zeros: float) -> bytes:
    def layers(g):
        x = g.depthwise(g.conv2d(g.input((1, 16, 16, 3)), 64, kernel=3, stride=2))
        x = g.conv2d(x, 128, zeros=zeros)
        return head(g, g.conv2d(x, 128, zeros=zeros))

    return build(layers)


@pytest.mark.parametrize("zeros", [0.0, 0.5, 0.8])
@pytest.mark.parametrize("options", [FP16, INT8], ids=["fp16", "int8"])
def test_the_estimate_is_near(options, zeros):
    data = net(zeros)
    seen = survey(Model.read(data), gzip=False, targets=[target("arm64")])
    saved = sum(max(0, values_saving(w, options.values)) for w in seen.inspection.weights)
    expected = sum(part.sparse for part in seen.parts) - saved
    found = len(written(tflite_sparse.compress(Model.read(data), values=options)))
    assert found == pytest.approx(expected, rel=0.1)


def test_the_page_has_both_where_both_are_smaller_and_none_for_a_small_model():
    view = sizes_view(
        PageModel("m", survey(Model.read(net(0.8)), gzip=False, targets=[target("arm64")]))
    )
    assert [values for values, _ in view.narrower] == [StoredValues.FP16, StoredValues.INT8]
    tiny = build(lambda g: g.conv2d(g.input((1, 4, 4, 2)), 2))
    small = sizes_view(
        PageModel("m", survey(Model.read(tiny), gzip=False, targets=[target("arm64")]))
    )
    assert small.narrower == ()
