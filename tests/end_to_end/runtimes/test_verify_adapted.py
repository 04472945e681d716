"""`verify` of a model and what `optimize` made of it: the outputs decide."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.support.command import call
from tests.support.nets.every_table import pack
from tests.support.peers.object_api import load

SAME = Path(__file__).parents[3] / "testdata" / "mobilenet_tiny_80_same.tflite"


def test_the_numbers_of_an_adapted_model_agree_or_do_not(tmp_path: Path) -> None:
    out = tmp_path / "fast.tflite"
    assert call("optimize", SAME, "-o", out, "--no-verify").code == 0
    done = call("verify", SAME, out)
    assert done.code == 0
    assert "adapted, the numbers agree" in done.out
    assert call("verify", SAME, out, "--weights-only").code == 1
    model = load(out.read_bytes())
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
    out.write_bytes(pack(model))
    done = call("verify", SAME, out)
    assert done.code == 1
    assert ": other numbers" in done.out
