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
from typing import TYPE_CHECKING

from benchmarks.race import models, parts
from benchmarks.race.contest import Command, contest
from benchmarks.race.contestants import installed, peer_versions, tool
from benchmarks.race.machine import load, machine
from benchmarks.race.report import render
from benchmarks.race.results import BEFORE, FLOOR, IMPORTS, LARGE, Results
from tflite_sparse import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

_PEERS = ("tensorflow-cpu", "ai-edge-litert", "scipy", "numpy", "flatbuffers")
_BIG = 512
_INSPECTED = ("pose_detection", "keras_mobilenet_v1")
_READ = ("pose_detection", "keras_efficientnet_b0")


def race(rounds: int, before: str | None, folder: Path) -> Iterator[Results]:
    """Runs one discipline after the other; gives what was measured so far after each.

    Args:
        rounds: counted runs of small models.
        before: an earlier revision that takes part, or None.
        folder: where results go.
    """
    tools = {parts.OURS: installed()}
    if before is not None:
        tools[BEFORE] = installed(before)
    versions = {parts.OURS: __version__, **peer_versions(*_PEERS)}
    real, keras = models.pruned_models(), models.keras_models()
    big = models.big_model(_BIG)
    found = Results(machine(), versions, [load()], before or "")

    _say("starting Python")
    python = tools[parts.OURS].with_name("python")
    scripts = {
        "importing numpy": "import numpy",
        FLOOR: "import numpy, typer",
        IMPORTS: parts.imports_of_sparsify(python, real["hand_landmark_lite"], folder),
    }
    found.floor = contest(
        {name: Command(*tool(python, "-c", script)) for name, script in scripts.items()}, rounds
    )
    for name, path in {**real, **keras, LARGE: big}.items():
        _say(f"sparsify {name}")
        # A large model takes long enough to tell with fewer runs.
        turns = rounds if path != big else min(rounds, 3)
        again = bool(found.sparsify)
        found.sparsify[name] = parts.sparsify_runs(path, tools, folder, turns, warm=again)
        yield found
    _say("least work")
    found.least = parts.least_work(python, big, folder)
    for name in _INSPECTED:
        _say(f"inspect {name}")
        alone = {parts.OURS: tools[parts.OURS]}
        found.inspect[name] = parts.inspect_runs({**real, **keras}[name], alone, rounds)
        yield found
    _say("sizes")
    found.sizes = parts.sizes(models.plain_models(), tools[parts.OURS], folder)
    yield found
    _say("libraries")
    found.libraries = parts.in_process({name: {**real, **keras}[name] for name in _READ}, folder)
    yield found
    _say("browser")
    seen = {"pose_detection": real["pose_detection"], "mobilenet_v1_80": models.browser_model()}
    found.browser = parts.in_browser(seen, folder, runs=40)
    found.loads.append(load())
    yield found


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
        for results in race(options.rounds, options.before, Path(folder)):
            options.out.write_text(render(results), "utf-8")
    print(options.out.read_text("utf-8"))


if __name__ == "__main__":
    main()
