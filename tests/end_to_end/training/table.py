"""What masks leave of a classifier of digits that is trained from scratch with them.

    python -m tests.end_to_end.training.table --out tests/end_to_end/training/table.md
    python -m tests.end_to_end.training.table --steps 1000 --seeds 5 \
        --out tests/end_to_end/training/long_table.md

Accuracies on pictures that nothing was trained on, over several seeds, which make the weights, the
split and the order of the pictures. Each net is converted and optimized, and the plan of the result
is counted.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

import tflite_sparse
from tests.support.training.from_scratch import SHAPE, accuracy, learnt
from tests.support.training.sequential import converted
from tflite_sparse.training import MaskOptions
from tflite_sparse.words.numbers import rounded_percent

__all__ = ["table"]

ZEROS = (0.8, 0.9)
WAYS = {
    "fixed masks": {"masks": "fixed"},
    "gradually by magnitude": {"masks": "magnitude"},
    "RigL": {"masks": "rigl"},
}


def table(seeds: int, steps: int) -> str:
    """The table as Markdown."""
    cells: dict[tuple[str, float], list[float]] = {}
    dense, sparse = [], set()
    for seed in range(seeds):
        net, _ = learnt(None, steps, seed)
        dense.append(accuracy(net, seed))
        for words, options in WAYS.items():
            for zeros in ZEROS:
                net, masks = learnt(
                    MaskOptions(zeros=zeros, steps=steps, every=10, **options), steps, seed
                )
                assert masks is not None
                predicted = [speed.sparse for speed in masks.report().speed]
                cells.setdefault((words, zeros), []).append(accuracy(net, seed))
                small = tflite_sparse.optimize(tflite_sparse.read(converted(net, SHAPE))).model
                for target, count in zip(("arm64", "armv7", "wasm"), predicted, strict=True):
                    plan = tflite_sparse.plan(small.main, target)
                    sparse.add((plan.verdict.sparse_pointwise, count))
    counts = sorted(sparse)
    about = f"Accuracy in per cent, mean and range of {seeds} seeds, {steps} batches from scratch;"
    lines = [
        f"{about} dense {_words(dense)}.",
        "",
        "| | " + " | ".join(f"{rounded_percent(zeros)} zeros" for zeros in ZEROS) + " |",
        "|---|" + "---|" * len(ZEROS),
    ]
    rows = {words: [_words(cells[words, zeros]) for zeros in ZEROS] for words in WAYS}
    lines += [f"| {words} | " + " | ".join(row) + " |" for words, row in rows.items()]
    planned = ", ".join(f"{now} (predicted {before})" for now, before in counts)
    lines += ["", f"Sparse convolutions of 4 once optimized, on every target: {planned}."]
    return "\n".join(lines) + "\n"


def _words(values: list[float]) -> str:
    mean = sum(values) / len(values)
    return f"{100 * mean:.1f} ({100 * min(values):.1f} to {100 * max(values):.1f})"


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    text = table(arguments.seeds, arguments.steps)
    if arguments.out is None:
        print(text)  # noqa: T201 - what it is for
    else:
        arguments.out.write_text(text, "utf-8")


if __name__ == "__main__":
    _main()
