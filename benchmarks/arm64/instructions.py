"""Counts the instructions of MobileNetV1 on emulated Arm processors.

usage: python -m benchmarks.arm64.instructions [--count]

With --count, MobileNetV1 1.0 224 at several shares of zeros, in single weights and in blocks of
output channels, runs on LiteRT's build for 64-bit Arm under qemu (`tflite-sparse runtime install
arm64`), and the instructions of one run go to benchmarks/arm64/instructions.json. Without it those
that lie there are printed. They are the same on every machine, within a few thousand. It fails
where they are 2 % off those that were counted apart from this package, by a plugin of its own.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from benchmarks.arm64.counted import counted
from benchmarks.speed_model import mobilenet
from tflite_sparse.runtime.arm64.processors import emulated
from tflite_sparse.runtime.litert.driver import profile_many

COUNTS = Path(__file__).with_name("instructions.json")
# (share of zeros in the 1x1 filters, output channels a block of them)
NETS = {
    "cortex-a76": (
        *((zeros, 1) for zeros in (0.0, 0.7, 0.8, 0.9, 0.95)),
        *((0.8, 2), (0.8, 4), (0.9, 2), (0.9, 4)),
    ),
    "cortex-a53": ((0.0, 1), (0.8, 1)),
}
# Millions of instructions of these, in the same order, where they were counted apart; None: not.
APART = {
    "cortex-a76": (202.3, 139.8, 100.4, 60.9, 41.2, 73.4, 86.3, None, 53.8),
    "cortex-a53": (332.1, 100.6),
}
FURTHEST = 0.02


def count() -> list[dict[str, Any]]:
    """The instructions of all nets, by kind of operator."""
    rows = []
    for name, nets in NETS.items():
        models = (mobilenet(1.0, 224, *net) for net in nets)
        profiles = profile_many(models, emulate=emulated(name, counting=True), timeout=600)
        for (zeros, block), profile in zip(nets, profiles, strict=True):
            assert profile.ok, profile.detail
            assert profile.instructions is not None
            kinds: dict[str, int] = {}
            for op in profile.operators:
                kinds[op.name] = kinds.get(op.name, 0) + (op.instructions or 0)
            rows.append(
                {
                    "processor": name,
                    "zeros": zeros,
                    "block": block,
                    "instructions": profile.instructions,
                    "operators": kinds,
                }
            )
    return rows


def main() -> int:
    """Counts if asked, and prints what there is; 1 where it is off what was counted apart."""
    rows = counted("instructions of MobileNetV1 on Arm", COUNTS, count)
    dense = {row["processor"]: row["instructions"] for row in rows if not row["zeros"]}
    apart = {
        (name, *net): millions
        for name, nets in NETS.items()
        for net, millions in zip(nets, APART[name], strict=True)
    }
    far = 0
    print("processor   zeros  block  M instructions  fewer by  counted apart  off by")
    for row in rows:
        gain = dense[row["processor"]] / row["instructions"]
        millions = row["instructions"] / 1e6
        line = f"{row['processor']:11} {row['zeros']:5.0%} {row['block']:6} {millions:15.1f}"
        line += f" {gain:7.2f} x"
        before = apart[row["processor"], row["zeros"], row["block"]]
        if before is not None:
            off = millions / before - 1
            far += abs(off) > FURTHEST
            line += f" {before:14.1f} {off:+7.2%}"
        print(line)
    return int(far > 0)


if __name__ == "__main__":
    sys.exit(main())
