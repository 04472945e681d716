"""Reading, writing, encoding and decoding against libraries, in one process: prints JSON.

    python -m benchmarks.race.in_process FOLDER MODEL...

Runs with the peers, on the package's own tree, so that both use the same numpy.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import flatbuffers
import numpy as np
import scipy.sparse
from ai_edge_litert import format_converter_wrapper_pybind11 as converter
from ai_edge_litert import schema_py_generated as schema

from tflite_sparse.encoding import decode, encode, google_layout
from tflite_sparse.model import Model

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

ROUNDS = 5
SIDE = 2048
ZEROS = 0.8


def timed(works: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    """Seconds of some rounds of each, in turn, after one round that does not count."""
    found: dict[str, list[float]] = {name: [] for name in works}
    for number in range(ROUNDS + 1):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            if number:
                found[name].append(time.perf_counter() - start)
    return found


def files(path: Path, folder: Path) -> dict[str, dict[str, list[float]]]:
    """Reading a model and writing it as it is."""
    data = path.read_bytes()
    tree = schema.ModelT.InitFromPackedBuf(data, 0)
    model = Model.read(path)

    def walk(read: Model) -> int:
        # The object API makes every object at once; so the fields are asked for here too.
        return sum(len(t.shape) + len(t.name) for g in read.subgraphs for t in g.tensors)

    def pack() -> None:
        builder = flatbuffers.Builder(1024)
        builder.Finish(tree.Pack(builder), b"TFL3")
        (folder / "peer.tflite").write_bytes(builder.Output())

    return {
        "read": timed(
            {
                "tflite-sparse": lambda: walk(Model.read(path)),
                "object API": lambda: schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0),
            }
        ),
        "write": timed(
            {
                "tflite-sparse": lambda: model.write(folder / "ours.tflite"),
                "object API": pack,
            }
        ),
    }


def codec() -> dict[str, dict[str, list[float]]]:
    """Encoding and decoding a matrix in the layout of Google's exporter, which is CSR."""
    rng = np.random.default_rng(0)
    array = rng.standard_normal((SIDE, SIDE), np.float32)
    array[rng.random(array.shape, np.float32) < ZEROS] = 0
    encoding = encode(array, google_layout(2))
    packed = scipy.sparse.csr_array(array)
    kinds = [
        converter.TfLiteDimensionType.TF_LITE_DIM_DENSE,
        converter.TfLiteDimensionType.TF_LITE_DIM_SPARSE_CSR,
    ]

    def made() -> Any:
        return converter.FormatConverterFp32(list(array.shape), [0, 1], kinds, [], [])

    def to_sparse() -> tuple[Any, Any]:
        one = made()
        one.DenseToSparse(array)
        return one.GetData(), one.GetDimMetadata()

    values, _ = to_sparse()
    stored = np.array(values, np.float32)
    assert np.array_equal(stored, encoding.values)

    def dense() -> NDArray[Any]:
        return decode(encoding)

    assert np.array_equal(dense(), array)
    return {
        "encode": timed(
            {
                "tflite-sparse": lambda: encode(array, google_layout(2)),
                "scipy.sparse.csr_array": lambda: scipy.sparse.csr_array(array),
                "LiteRT's format converter": to_sparse,
                "LiteRT's format converter, without the result": lambda: made().DenseToSparse(
                    array
                ),
            }
        ),
        "decode": timed({"tflite-sparse": dense, "scipy.sparse.csr_array": packed.toarray}),
    }


if __name__ == "__main__":
    place = Path(sys.argv[1])
    print(
        json.dumps(
            {
                "matrix": f"{SIDE} x {SIDE} fp32, {100 * ZEROS:.0f} % zeros",
                "codec": codec(),
                "files": {Path(name).stem: files(Path(name), place) for name in sys.argv[2:]},
            }
        )
    )
