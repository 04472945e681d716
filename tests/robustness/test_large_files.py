"""Models over 2 GiB, whose weights lie outside the flatbuffer, in memory for one tensor alone."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.nets.builder import ModelBuilder
from tests.support.nets.every_table import pack
from tests.support.peers.object_api import load
from tflite_sparse.model import Model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

UNITS, LAYERS = 8192, 9
LARGEST = UNITS * UNITS * 4
# What Python and its libraries take by themselves, and the largest tensor twice.
MEMORY = 256 * 2**20 + 2 * LARGEST
FILLED = 32  # as much as makes the shape plausible


def write_model(path: Path) -> None:
    """Layers of FULLY_CONNECTED of 256 MiB each; the file is full of holes and cheap to make."""
    builder = ModelBuilder()
    graph = builder.graph()
    x = graph.input((1, UNITS))
    weights = []
    for number in range(LAYERS):
        buffer = builder.buffer(np.zeros(4, np.float32))
        filters = graph.tensor((UNITS, UNITS), name=f"layer{number}/filter", buffer=buffer)
        weights.append(buffer)
        x = graph.fully_connected(x, UNITS, filters=filters, bias=False)
    graph.output(x)
    model = load(builder.build())
    for buffer in weights:
        model.buffers[buffer].data = None
        model.buffers[buffer].offset, model.buffers[buffer].size = 2**40, LARGEST
    start = -(-len(pack(model)) // 4096) * 4096
    for number, buffer in enumerate(weights):
        model.buffers[buffer].offset = start + number * LARGEST
    with path.open("wb") as file:
        file.write(pack(model))
        file.truncate(start + LAYERS * LARGEST)
        for number in range(LAYERS):
            for row in range(FILLED):
                file.seek(start + number * LARGEST + (row * UNITS // FILLED) * UNITS * 4)
                file.write(np.full(UNITS // 8, number + row + 1, np.float32).tobytes())


def limited() -> None:
    """Lets the process have so much memory of its own; maps of files do not count."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))


def run(*arguments: object, preexec: Callable[[], None] | None = limited) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tflite_sparse", *map(str, arguments)],
        env={"PATH": "/usr/bin:/bin", "OPENBLAS_NUM_THREADS": "1"},
        preexec_fn=preexec,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.fixture
def big(tmp_path):
    path = tmp_path / "big.tflite"
    write_model(path)
    assert path.stat().st_size > 2**31
    yield path
    # Gigabytes are not left for the next runs.
    for made in tmp_path.iterdir():
        made.unlink()


def test_the_limit_on_memory_is_one(big):
    code = f"import numpy; numpy.ones({2 * MEMORY}, 'u1')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        preexec_fn=limited,
        capture_output=True,
        check=False,
    )
    assert b"MemoryError" in done.stderr


def test_every_command_takes_a_file_of_more_than_2_gib(big):
    sparse, dense = big.with_name("sparse.tflite"), big.with_name("dense.tflite")
    zeros = UNITS * UNITS - FILLED * (UNITS // 8)
    (model,) = json.loads(run("inspect", big, "--json", "--no-gzip", "--target", "arm64"))["models"]
    assert [weight["zeros"] for weight in model["weights"]] == [zeros] * LAYERS
    # The one that compresses, to tell the sizes of a download.
    run("sparsify", big, "-o", sparse)
    assert sparse.stat().st_size < LARGEST
    run("densify", sparse, "-o", dense, "--no-gzip")
    assert dense.stat().st_size > 2**31
    assert all(t.buffer.external for t in Model.read(dense).main.tensors if t.is_constant)
    run("verify", sparse, dense, "--weights-only")
    # The runtime itself needs memory for all weights.
    told = run("verify", big, sparse, "--trials", 1, "--json", preexec=None)
    found = json.loads(told)["verification"]
    assert found["weights_equal"] == LAYERS
    assert [b["status_b"] for b in found["backends"]] == ["ok", "ok"]
    assert all(output["within"] for b in found["backends"] for output in b["outputs"])
