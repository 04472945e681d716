"""Counts what comes of planning a model for 64-bit Arm, beside planning it for the browser.

usage: python -m benchmarks.arm64.planning [--count]

With --count, nets are optimized for each of both targets and run on LiteRT's build for 64-bit Arm
under qemu (`tflite-sparse runtime install arm64`); the instructions of a run go to
benchmarks/arm64/planning.json. Without it those that lie there are printed. It fails where a net
that is planned for 64-bit Arm takes 3 % more of them than the same net planned for the browser, by
which estimates may be off.
"""

from __future__ import annotations

import functools
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.arm64.counted import counted
from benchmarks.speed_model import mobilenet
from tests.end_to_end.adapted.subjects import SUBJECTS
from tflite_sparse.model import Model
from tflite_sparse.rewrite.adapt.options import AdaptOptions
from tflite_sparse.rewrite.optimize import Optimize
from tflite_sparse.runtime.arm64.processors import emulated
from tflite_sparse.runtime.litert.driver import profile_many

if TYPE_CHECKING:
    from collections.abc import Callable

COUNTS = Path(__file__).with_name("planning.json")
PROCESSORS = ("cortex-a76", "cortex-a53")
TARGETS = ("wasm", "arm64")
FURTHEST = 1.03
# Nets of which both plans differ.
NETS: dict[str, Callable[[], bytes]] = {
    **{
        name: SUBJECTS[name].dense
        for name in (
            "face_detection_front", "iris_landmark", "unet_transposed", "efficientnet_v2b0_wide",
        )
    },
    "mobilenet_v1 0.5 192, 90 % zeros in blocks of 2": functools.partial(
        mobilenet, 0.5, 192, 0.9, 2
    ),
}  # fmt: skip


def count() -> dict[str, dict[str, dict[str, int]]]:
    """Instructions of each net: dense, and as it is planned for each target."""
    nets: dict[str, dict[str, dict[str, int]]] = {}
    for name, make in NETS.items():
        model = Model.read(make())
        made = {"dense": make()}
        for target in TARGETS:
            made[target] = Optimize(AdaptOptions((target,))).run(model).model.to_bytes()
        for processor in PROCESSORS:
            counting = emulated(processor, counting=True)
            profiles = profile_many(made.values(), emulate=counting, timeout=600)
            for kind, profile in zip(made, profiles, strict=True):
                assert profile.ok, profile.detail
                assert profile.instructions is not None
                by_kind = nets.setdefault(name, {}).setdefault(processor, {})
                by_kind[kind] = profile.instructions
    return nets


def main() -> int:
    """Counts if asked, and prints what there is; 1 where a plan is worse than the other."""
    nets = counted("plans for 64-bit Arm and for the browser", COUNTS, count)
    print(f"{'millions of instructions':48} {'processor':11} {'dense':>7} {'wasm':>7} {'arm64':>7}")
    worse = 0
    for name, processors in nets.items():
        for processor, counts in processors.items():
            cells = " ".join(f"{counts[kind] / 1e6:7.1f}" for kind in ("dense", *TARGETS))
            print(f"{name:48} {processor:11} {cells}")
            worse += counts["arm64"] > FURTHEST * counts["wasm"]
    return int(worse > 0)


if __name__ == "__main__":
    sys.exit(main())
