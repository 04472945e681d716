"""`verify` of a model and what was adapted or rounded of it: the outputs decide."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.command import call
from tests.support.nets.every_table import pack
from tests.support.peers.object_api import load

TESTDATA = Path(__file__).parents[3] / "testdata"
SAME = TESTDATA / "mobilenet_tiny_80_same.tflite"


def with_another_bias(path: Path) -> None:
    """Changes what a model computes of its classes."""
    model = load(path.read_bytes())
    biases = [t for t in model.subgraphs[0].tensors if t.name.startswith(b"logits/bias")]
    tensor = (
        biases[0]
        if biases
        else next(
            t
            for t in model.subgraphs[0].tensors
            if list(t.shape) == [10] and model.buffers[t.buffer].data is not None
        )
    )
    buffer = model.buffers[tensor.buffer]
    values = np.frombuffer(np.asarray(buffer.data, np.uint8).tobytes(), np.float32) + 1
    values[0] += 3
    buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    path.write_bytes(pack(model))


def test_the_numbers_of_an_adapted_model_agree_or_do_not(tmp_path: Path) -> None:
    out = tmp_path / "fast.tflite"
    assert call("optimize", SAME, "-o", out, "--no-verify").code == 0
    done = call("verify", SAME, out)
    assert done.code == 0
    assert "adapted, the numbers agree" in done.out
    # What adapting changed is counted, and not listed where it changed no number.
    assert "as adapting makes it; 'tflite-sparse diff' lists all" in " ".join(done.out.split())
    assert " is new" not in done.out
    assert call("verify", SAME, out, "--weights-only").code == 1
    with_another_bias(out)
    done = call("verify", SAME, out)
    assert done.code == 1
    assert ": other numbers" in done.out


@pytest.mark.parametrize(("values", "bound"), [("int8", "0.25"), ("fp16", "0.02")])
def test_rounded_weights_may_move_outputs_as_far_as_their_numbers(
    tmp_path: Path, values: str, bound: str
) -> None:
    model, out = TESTDATA / "mobilenet_tiny_80.tflite", tmp_path / "small.tflite"
    assert call("sparsify", model, "--values", values, "-o", out).code == 0
    done = call("verify", model, out)
    assert done.code == 0
    assert f": rounded to {values}, outputs near" in done.out
    assert f"{bound} of the range allowed" in done.out
    # Who wants no difference says so.
    assert call("verify", model, out, "--atol", "0").code == 1
    assert call("verify", model, out, "--weights-only").code == 1
    with_another_bias(out)
    done = call("verify", model, out)
    assert done.code == 1
    assert f": rounded to {values}, outputs far" in done.out
