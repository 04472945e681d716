"""Runs the whole race and writes benchmarks/RESULTS.md.

    python -m benchmarks.race [--rounds 7] [--before REVISION] [--out FILE]

The peers are installed in an environment of their own where they are not yet, and the models that
Keras makes are kept beside it; both take some minutes once. Needs 6 GB of memory for TensorFlow on
the largest model, 3 GB of disk, Chromium and npm.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.race import models, parts
from benchmarks.race.contest import Command, contest
from benchmarks.race.contestants import installed, peer_versions, tool
from benchmarks.race.machine import load, machine
from benchmarks.race.report import BEFORE, Results, render
from tflite_sparse import __version__

_PEERS = ("tensorflow-cpu", "ai-edge-litert", "scipy", "numpy", "flatbuffers")
_BIG = 512
_BIG_ROUNDS = 3


def race(rounds: int, before: str | None, folder: Path) -> Results:
    """Runs all disciplines.

    Args:
        rounds: counted runs of small models.
        before: an earlier revision that takes part, or None.
        folder: where results go.
    """
    loads = [load()]
    tools = {parts.OURS: installed()}
    if before is not None:
        tools[BEFORE] = installed(before)
    found = Results(
        machine(),
        {parts.OURS: __version__, **peer_versions(*_PEERS)},
        loads,
        before or "",
    )
    _say("starting Python")
    python = tools[parts.OURS].with_name("python")
    scripts = {"importing numpy": "import numpy", "numpy and typer": "import numpy, typer"}
    found.floor = contest(
        {name: Command(*tool(python, "-c", script)) for name, script in scripts.items()}, rounds
    )
    real, keras = models.pruned_models(), models.keras_models()
    for name, path in {**real, **keras}.items():
        _say(f"sparsify {name}")
        found.sparsify[name] = parts.sparsify_runs(path, tools, folder, rounds)
    _say("sparsify the big one")
    name = f"{_BIG} MiB of filters"
    found.sparsify[name] = parts.sparsify_runs(models.big_model(_BIG), tools, folder, _BIG_ROUNDS)
    for name in ("pose_detection", "keras_mobilenet_v1"):
        _say(f"inspect {name}")
        tool_alone = {parts.OURS: tools[parts.OURS]}
        found.inspect[name] = parts.inspect_runs({**real, **keras}[name], tool_alone, rounds)
    _say("sizes")
    found.sizes = parts.sizes(models.plain_models(), tools[parts.OURS], folder)
    _say("libraries")
    both = {**real, **keras}
    library = {name: both[name] for name in ("pose_detection", "keras_efficientnet_b0")}
    found.libraries = parts.in_process(library, folder)
    _say("browser")
    seen = {"pose_detection": real["pose_detection"], "mobilenet_v1_80": models.browser_model()}
    found.browser = parts.in_browser(seen, folder, runs=40)
    loads.append(load())
    return found


def _say(what: str) -> None:
    print(f"race: {what} (load {load()})", file=sys.stderr, flush=True)


def main() -> None:
    """Runs the race and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--before", help="an earlier revision, to be measured beside the tree")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "RESULTS.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = race(options.rounds, options.before, Path(folder))
    options.out.write_text(render(results), "utf-8")
    print(render(results))


if __name__ == "__main__":
    main()
