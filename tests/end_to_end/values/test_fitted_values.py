"""int8 weights that are fitted to data compute on LiteRT what is nearer to the original."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.support.docs.make_testdata import FOLDER
from tests.support.nets.small_nets import build, through
from tflite_sparse.model import Model
from tflite_sparse.rewrite.optimize import Optimize
from tflite_sparse.rewrite.storage.store_values import SparsifyValues
from tflite_sparse.rewrite.writing.save import save
from tflite_sparse.runtime.activations.calibrate import Split, calibrated
from tflite_sparse.runtime.fidelity import fidelity
from tflite_sparse.runtime.inputs import input_specs, random_inputs
from tflite_sparse.storage.values.options import StoredValues, ValuesOptions

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.nets.builder import GraphBuilder, Value

INT8 = ValuesOptions(StoredValues.INT8)


def block(g: GraphBuilder, x: Value) -> Value:
    """Layers behind RELUs, whose values are all positive and much alike."""
    x = g.conv2d(x, 48, zeros=0.5, activation="RELU")
    x = g.depthwise(x, activation="RELU")
    return g.conv2d(x, 32, kernel=3, activation="RELU")


def test_outputs_come_nearer_on_inputs_that_nothing_was_fitted_to(tmp_path: Path) -> None:
    before = tmp_path / "before.tflite"
    before.write_bytes(build(through(block)))
    split = Split.of(random_inputs(input_specs(Model.read(before)), 16))
    assert (len(split.fitted), len(split.held_out)) == (12, 4)
    noise = []
    for calibration in (None, calibrated(split.fitted)):
        after = tmp_path / "after.tflite"
        result = SparsifyValues(INT8, calibration=calibration).run(Model.read(before))
        save(result, after)
        (output,) = fidelity(before, after, bound=1, given=split.held_out).outputs
        noise.append(output.snr)
        rounded = [change.rounding for change in result.weights if change.rounding]
        assert all((r.output_snr is None) is (calibration is None) for r in rounded)
    assert noise[1] > noise[0] + 3


def test_what_was_adapted_is_measured_as_it_is_then(tmp_path: Path) -> None:
    """Mirrored filters read mirrored maps."""
    before, after = FOLDER / "mobilenet_tiny_80_same.tflite", tmp_path / "after.tflite"
    split = Split.of(random_inputs(input_specs(Model.read(before)), 8))
    result = Optimize(values=INT8, calibration=calibrated(split.fitted)).run(Model.read(before))
    assert result.adaptation is not None
    assert result.adaptation.done
    save(result, after)
    assert fidelity(before, after, bound=0.02, given=split.held_out).within
    assert all(change.rounding.output_snr > 40 for change in result.weights if change.rounding)


def test_a_small_weight_whose_rounding_is_felt_keeps_its_numbers(tmp_path: Path) -> None:
    """What a channel computes is small beside the largest of its weights."""

    def net(g: GraphBuilder) -> Value:
        x = g.conv2d(g.input((1, 16, 16, 3)), 16, kernel=3, activation="RELU")
        filters = np.full((1, 3, 3, 16), 0.01, np.float32)
        filters[0, 0, 0], filters[0, 1, 1] = 1.0, -1.003
        return g.conv2d(g.depthwise(x, filters=filters), 64)

    before = tmp_path / "before.tflite"
    before.write_bytes(build(net))
    smooth = [{"0": np.full((1, 16, 16, 3), level, np.float32)} for level in (0.2, 0.5, 0.9)]
    for calibration, kept in ((None, 0), (calibrated(smooth), 1)):
        result = SparsifyValues(INT8, calibration=calibration).run(Model.read(before))
        assert sum(left.code == "sensitive" for left in result.left) == kept
        assert all(change.weight.shape != (1, 3, 3, 16) for change in result.weights) is bool(kept)
