"""What is left of a classifier of digits at 70, 80 and 90 % zeros, untrained and trained.

    python -m tests.end_to_end.torch.table --out TABLE.md

Accuracies on pictures that nothing was trained on, over several seeds, which make the weights, the
split and the order of the samples.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from tests.end_to_end.torch.small_net import accuracy, split, trained
from tflite_sparse.torch import DistillOptions, distill

__all__ = ["table"]

ZEROS = (0.7, 0.8, 0.9)
UNTRAINED = {"masks": "fixed", "steps": 1, "rate": 1e-12, "restore": False}


def ways(steps: int) -> dict[str, dict]:
    """How zeros are made: options by the words for them."""
    usual = {"steps": steps, "batch": 64, "rate": 3e-3, "evaluate": max(steps // 6, 1)}
    return {
        "least magnitude, untrained": UNTRAINED,
        "trained, fixed masks": {**usual, "masks": "fixed"},
        "trained, gradually by magnitude": {**usual, "masks": "magnitude", "every": 10},
        "trained, RigL": {**usual, "masks": "rigl"},
    }


def table(seeds: int, steps: int) -> str:
    """The table as Markdown."""
    cells: dict[tuple[str, float], list[float]] = {}
    dense = []
    for seed in range(seeds):
        model = trained(seed)
        dense.append(accuracy(model, seed))
        images, _, _, _ = split(seed)
        for words, options in ways(steps).items():
            for zeros in ZEROS:
                result = distill(model, images, DistillOptions(zeros=zeros, seed=seed, **options))
                cells.setdefault((words, zeros), []).append(accuracy(result.model, seed))
    about = f"Accuracy in per cent, mean and range of {seeds} seeds, {steps} batches;"
    lines = [
        f"{about} dense {_words(dense)}.",
        "",
        "| | " + " | ".join(f"{zeros:.0%} zeros" for zeros in ZEROS) + " |",
        "|---|" + "---|" * len(ZEROS),
    ]
    for words in ways(steps):
        row = [_words(cells[words, zeros]) for zeros in ZEROS]
        lines.append(f"| {words} | " + " | ".join(row) + " |")
    return "\n".join(lines) + "\n"


def _words(values: list[float]) -> str:
    mean = sum(values) / len(values)
    return f"{100 * mean:.1f} ({100 * min(values):.1f} to {100 * max(values):.1f})"


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=1000)
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
