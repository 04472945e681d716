"""Makes a large fp32 model for the benchmarks: a chain of 1x1 convolutions with random zeros.

usage: python -m benchmarks.big_model OUT [--mib 1024] [--zeros 0.8]

Each convolution has 4096 input and output channels, so its filter takes 64 MiB. The filters are
made one after the other while the file is written.
"""

from __future__ import annotations

import argparse
import functools
from typing import TYPE_CHECKING

import numpy as np

from tflite_sparse.flatbuffer.file import FlatFile
from tflite_sparse.flatbuffer.payload import Deferred
from tflite_sparse.flatbuffer.table import Table
from tflite_sparse.model import Model

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["write_big_model"]

_CHANNELS = 4096
_FILTER_MIB = 64
_MASKS = 8


def _filter(seed: int, zeros: float) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    block = rng.standard_normal((_CHANNELS // _MASKS, _CHANNELS), np.float32)
    block[rng.random(block.shape, np.float32) < zeros] = 0
    # Rolled copies keep the rows different at a fraction of the time.
    rows = [np.roll(block, 17 * index, axis=1) for index in range(_MASKS)]
    return np.concatenate(rows).reshape(-1).view(np.uint8)


def _tensor(name: str, shape: list[int]) -> Table:
    table = Table("Tensor")
    table["name"] = name
    table["shape"] = shape
    table.set_enum("type", "FLOAT32")
    return table


def write_big_model(path: str | Path, mib: int = 1024, zeros: float = 0.8) -> int:
    """Writes the model and returns its size in bytes.

    Args:
        path: where to write it.
        mib: size of all filters together in MiB, rounded to multiples of 64.
        zeros: share of zeros in each filter.
    """
    root = Table("Model")
    root["version"] = 3
    root["description"] = "generated for benchmarks"
    root["buffers"] = [Table("Buffer")]
    root["subgraphs"] = [Table("SubGraph")]
    model = Model(FlatFile(root))
    graph = model.subgraphs[0]
    code = model.operator_code("CONV_2D")
    value = graph.add_tensor(_tensor("input", [1, 1, 1, _CHANNELS]), model.buffers[0])
    graph.inputs = (value,)
    for index in range(max(1, mib // _FILTER_MIB)):
        weights = model.add_buffer(
            Deferred(_FILTER_MIB * 2**20, "u1", functools.partial(_filter, index, zeros))
        )
        noise = np.random.default_rng(index).normal(0, 0.1, _CHANNELS)
        bias = model.add_buffer(noise.astype(np.float32))
        operands = (
            value,
            graph.add_tensor(_tensor(f"conv{index}/filter", [_CHANNELS, 1, 1, _CHANNELS]), weights),
            graph.add_tensor(_tensor(f"conv{index}/bias", [_CHANNELS]), bias),
        )
        value = graph.add_tensor(_tensor(f"conv{index}", [1, 1, 1, _CHANNELS]), model.buffers[0])
        operator = graph.add_operator(index, code, operands, (value,))
        options = Table("Conv2DOptions")
        options["stride_w"] = options["stride_h"] = 1
        options["dilation_w_factor"] = options["dilation_h_factor"] = 1
        operator.table["builtin_options"] = options
    graph.outputs = (value,)
    return model.write(path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out")
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--zeros", type=float, default=0.8)
    chosen = parser.parse_args()
    print(f"{write_big_model(chosen.out, chosen.mib, chosen.zeros):,} bytes")
