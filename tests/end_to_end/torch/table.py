"""What is left of classifiers of digits at 70, 80 and 90 % zeros, rung by rung.

    python -m tests.end_to_end.torch.table --out docs/pruned-classifiers.md

Accuracies on pictures that nothing was trained on or fitted to, over several seeds, which make the
weights, the split and the order of the samples. Training takes no labels.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from msgspec.structs import replace

from tests.end_to_end.torch.small_net import accuracy, split, trained
from tests.support.digits import enlarged
from tflite_sparse.model import Model
from tflite_sparse.pruning.options import Method, PruneOptions
from tflite_sparse.pruning.prune import prune
from tflite_sparse.torch import DistillOptions, distill
from tflite_sparse.words.numbers import count_of, rounded_percent

if TYPE_CHECKING:
    import numpy as np

    from tflite_sparse.pruning.result import PrunedModel

__all__ = ["table"]

ZEROS = (0.7, 0.8, 0.9)
MOVED = 0.8  # RigL is tried there alone
NETS = {"MobileNet-like, 1x1": {"large": True}, "ResNet-like, 3x3": {"residual": True}}
# Found on pictures that the nets were trained without and that are not among those evaluated.
STEPS = {"MobileNet-like, 1x1": 2400, "ResNet-like, 3x3": 900}
BATCH = 32
_USUAL = "train, fixed masks"
RUNGS = (
    "magnitude",
    "calibrated",
    _USUAL,
    "train, RigL",
)
_HEAD = """# Small classifiers, rung by rung

Two classifiers of the handwritten digits that scikit-learn ships, 1,347 pictures to train on and
450 others to evaluate, in {seeds}, which make the weights, the split and the order. Each is
pruned by the three methods of [`prune`](pruning.md), with the same share of zeros in every filter
that runs sparse; training goes on from what calibration leaves, without labels, with the learning
rate that it finds. Accuracy in per cent on the pictures that were left out, mean and range; one
picture is 0.2.

    python -m tests.end_to_end.torch.table --out docs/pruned-classifiers.md
"""

Cells = dict[tuple[str, str, float], list[float]]


def measure(cells: Cells, kind: str, seed: int) -> None:
    """Adds the accuracies of one net of one seed."""
    dense = trained(seed, **NETS[kind])
    cells[kind, "dense", 0].append(accuracy(dense, seed))
    pictures = enlarged(split(seed)[0])
    inputs = [{"0": picture[None]} for picture in pictures]
    for zeros in ZEROS:
        training = DistillOptions(steps=STEPS[kind], batch=BATCH, masks="fixed")
        options = PruneOptions(zeros=zeros, method=Method.TRAIN, training=training, seed=seed)
        made = prune(dense, options, inputs)
        assert made.start is not None
        sparse = min(view.sparse for view in made.report.speed)
        cells[kind, "sparse", zeros].append(sparse / len(made.report.filters))
        smallest = prune(dense, PruneOptions(zeros=zeros, method=Method.MAGNITUDE))
        rungs = {"magnitude": smallest.model, "calibrated": made.start, _USUAL: made.model}
        if zeros == MOVED:
            rungs["train, RigL"] = _moved(made, dense, pictures, training, seed)
        for rung, model in rungs.items():
            value = accuracy(Model.read(model.to_bytes()), seed)
            cells[kind, rung, zeros].append(value)
            sys.stderr.write(f"{kind}, seed {seed}, {zeros:.0%}, {rung}: {value:.1%}\n")


def _moved(
    made: PrunedModel, dense: Model, pictures: np.ndarray, training: DistillOptions, seed: int
) -> Model:
    """The same training with zeros that move."""
    shares = {f"#{f.weight.tensor}": f.zeros / f.elements for f in made.report.filters}
    options = replace(training, zeros=0.0, zeros_of=shares, masks="rigl", seed=seed)
    return distill(dense, pictures, options, start=made.start).model


def table(cells: Cells, seeds: int, kinds: list[str]) -> str:
    """The tables as Markdown."""
    lines = [_HEAD.format(seeds=count_of(seeds, "seed"))]
    for kind in kinds:
        about = f"dense {_words(cells[kind, 'dense', 0])}, {STEPS[kind]:,} batches of {BATCH}"
        heads = [f"{kind}: {about}", *(f"{rounded_percent(zeros)} zeros" for zeros in ZEROS)]
        lines += [_row(heads), _row(["---"] * len(heads))]
        for rung in RUNGS:
            method, _, masks = rung.partition(",")
            values = [_words(cells.get((kind, rung, zeros), [])) for zeros in ZEROS]
            lines.append(_row([f"`{method}`{masks and ','}{masks}", *values]))
        shares = [cells.get((kind, "sparse", zeros), []) for zeros in ZEROS]
        least = [rounded_percent(min(values)) if values else "" for values in shares]
        lines.append(_row(["pruned filters that then run sparse on every target", *least]))
        lines.append("")
    return "\n".join(lines)


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _words(values: list[float]) -> str:
    if not values:
        return ""
    mean = sum(values) / len(values)
    return f"{100 * mean:.1f} ({100 * min(values):.1f} to {100 * max(values):.1f})"


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--net", choices=[*NETS], help="Only this one.")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cells: Cells = defaultdict(list)
    text = ""
    kinds = [arguments.net] if arguments.net else [*NETS]
    for seed in range(arguments.seeds):
        for kind in kinds:
            measure(cells, kind, seed)
        text = table(cells, seed + 1, kinds)
        if arguments.out is not None:
            arguments.out.write_text(text, "utf-8")
    if arguments.out is None:
        print(text)  # noqa: T201 - what it is for


if __name__ == "__main__":
    _main()
