"""The disciplines of the race; each gives the measurements for one table of the results."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.race.contest import Command, contest
from benchmarks.race.contestants import peer_script, tool
from tests.support.peers.environments import (
    MLIR_SPARSIFY,
    ROOT,
    mlir_sparsify,
    peer_environment,
    peer_python,
)
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.rewrite.writing.save import read, write
from tflite_sparse.runtime.bench import bench

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.race.contest import Measured
    from tflite_sparse.runtime.bench import Bench

__all__ = [
    "LEAST",
    "OURS",
    "PEER",
    "Sizes",
    "imports_of_sparsify",
    "in_browser",
    "in_process",
    "inspect_runs",
    "least_work",
    "sizes",
    "sparsify_runs",
]

OURS = "tflite-sparse"
PEER = "TensorFlow"
LEAST = "numpy alone"
"""What is not zero found and written with its column, and nothing else; see least_work.py."""

_HERE = Path(__file__).parent


def sparsify_runs(
    model: Path, tools: Mapping[str, Path], folder: Path, rounds: int, *, warm: bool
) -> dict[str, Measured]:
    """`sparsify` from the shell against `mlir_sparsify` in a process of its own.

    Args:
        model: the model.
        tools: installed commands of the package by name.
        folder: where results go.
        rounds: how many counted runs.
        warm: whether the programs have run before, see `contest`.
    """
    commands = {}
    for number, (name, command) in enumerate(tools.items()):
        out = folder / f"{number}.tflite"
        commands[name] = Command(*tool(command, "sparsify", model, "-o", out), out)
    out = folder / "peer.tflite"
    commands[PEER] = Command(*peer_script(MLIR_SPARSIFY, model, out), out)
    model.read_bytes()
    return contest(commands, rounds, warm=warm)


def imports_of_sparsify(python: Path, model: Path, folder: Path) -> str:
    """A script that imports every module that a run of `sparsify` imports."""
    listing = (
        "import os, sys\n"
        "end = os._exit\n"
        "def told(code):\n"
        "    sys.stderr.write(' '.join(n for n in sys.modules if n.startswith('tflite_sparse')))\n"
        "    sys.stderr.flush()\n"
        "    end(code)\n"
        "os._exit = told\n"
        "from tflite_sparse.__main__ import main\n"
        "try:\n"
        "    main()\n"
        "except SystemExit as ended:\n"
        "    told(ended.code)\n"
    )
    words, environment = tool(
        python, "-c", listing, "sparsify", model, "-o", folder / "imports.tflite"
    )
    done = subprocess.run(words, env=environment, check=True, capture_output=True, text=True)
    return "import " + ", ".join(done.stderr.split())


def least_work(python: Path, model: Path, folder: Path) -> dict[str, Measured]:
    """The least that numpy can do on a model of filters; see least_work.py."""
    out = folder / "least.bin"
    words = tool(python, _HERE / "least_work.py", model, out)
    return contest({LEAST: Command(*words, out)}, 3)


def inspect_runs(model: Path, tools: Mapping[str, Path], rounds: int) -> dict[str, Measured]:
    """`inspect` against what comes nearest to it."""
    commands = {name: Command(*tool(command, "inspect", model)) for name, command in tools.items()}
    commands["TensorFlow's analyzer"] = Command(*peer_script(_HERE / "analyze.py", model))
    commands["zeros counted through TensorFlow"] = Command(
        *peer_script(_HERE / "count_zeros.py", model)
    )
    return contest(commands, rounds)


@dataclass(frozen=True)
class Sizes:
    """Sizes in bytes of a model and of what comes out.

    Attributes:
        name: the model.
        before: as it is.
        ours: after `sparsify`.
        peer: after `mlir_sparsify`.
    """

    name: str
    before: int
    ours: int
    peer: int


def sizes(models: Mapping[str, Path], tool_path: Path, folder: Path) -> list[Sizes]:
    """What both make of models; nothing is timed."""
    mlir_sparsify([(path, folder / f"{name}-peer.tflite") for name, path in models.items()])
    found = []
    for name, path in models.items():
        ours, peer = folder / f"{name}-ours.tflite", folder / f"{name}-peer.tflite"
        words, environment = tool(tool_path, "sparsify", path, "-o", ours)
        subprocess.run(words, env=environment, check=True, capture_output=True)
        found.append(Sizes(name, path.stat().st_size, ours.stat().st_size, peer.stat().st_size))
    return found


def in_process(models: Mapping[str, Path], folder: Path) -> dict[str, Any]:
    """Reading, writing, encoding and decoding against libraries."""
    words = [str(peer_python()), "-m", "benchmarks.race.in_process", str(folder)]
    done = subprocess.run(
        [*words, *map(str, models.values())],
        env={**peer_environment(), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def in_browser(models: Mapping[str, Path], folder: Path, runs: int) -> dict[str, Bench]:
    """Latency in a browser of models dense, as the package stores them and as TensorFlow does."""
    found = {}
    for name, path in models.items():
        ours, peer = folder / f"{name}-ours.tflite", folder / f"{name}-peer.tflite"
        write(sparsify(read(path)), ours)
        mlir_sparsify([(path, peer)])
        found[name] = bench(
            [str(path), str(ours), str(peer)], where="web", runs=runs, warmup=5, timeout=600
        )
    return found
