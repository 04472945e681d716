"""How near to the dense model training brings a pruned classifier, over the images it has seen.

Run as: python -m benchmarks.pruning.training MODEL FITTED JUDGED --steps 320 --mean 127 --std 128

The model is calibrated on nine tenths of the photographs of one folder and trained on them, as
`prune --method train` does; those of the other folder only tell the quality, each time the training
is evaluated. The state is kept in a file, from which the same command goes on.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from msgspec.structs import replace

from benchmarks.pruning.arguments import image_parser
from benchmarks.pruning.zeros import zeros_of
from tflite_sparse.model import Model
from tflite_sparse.pruning.judge import judge
from tflite_sparse.pruning.options import Method, PruneOptions
from tflite_sparse.pruning.prune import prune
from tflite_sparse.pruning.trained import InputSamples, fitted_inputs
from tflite_sparse.runtime.data.given import given_inputs
from tflite_sparse.runtime.data.images import ImageOptions
from tflite_sparse.torch import DistillOptions, distill, from_tflite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tflite_sparse.runtime.observations import Outputs
    from tflite_sparse.torch.training.options import Progress


def tell(
    dense: Model, inputs: Sequence[Outputs], batch: int, state: str, told: set[int], far: Progress
) -> None:
    """Prints the quality of what is trained so far, after each evaluation."""
    if far.evaluation is None or far.evaluation.step in told or far.evaluation.step != far.step:
        return
    told.add(far.step)
    model, module = dense.copy(), from_tflite(dense)
    weights: dict[str, Any] = torch.load(state, weights_only=True)["module"]
    with torch.no_grad():
        for name, weight in module.weights.items():
            weight.copy_(weights[name])
    module.write_back(model)
    _print(f"{far.step * batch} images", judge(dense, model, inputs).outputs[0], far)


def _print(words: str, output: Any, far: Progress | None = None) -> None:
    loss = "" if far is None or far.evaluation is None else f", loss {far.evaluation.loss:.4f}"
    spent = f"{time.process_time():.0f} CPU s"
    print(f"{words}: agreement {output.top1:.3f}, KL {output.kl:.3f}{loss}, {spent}", flush=True)


def main() -> None:
    """Calibrates, trains, and prints the curve."""
    parser = image_parser(__doc__)
    parser.add_argument("--steps", type=int, default=320)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--every", type=int, default=40, help="Steps between evaluations.")
    parser.add_argument("--learning-rate", type=float, help="By default, that which is found.")
    parser.add_argument("--masks", default="fixed")
    parser.add_argument("--augment", action="store_true", help="Parts and mirror images.")
    parser.add_argument("--start", help="The calibrated model, where it is there already.")
    parser.add_argument("--state", default="state")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    dense = Model.read(asked.model)
    options = ImageOptions((asked.mean,), (asked.std,))
    training = DistillOptions(
        masks=asked.masks,
        augment=asked.augment,
        steps=asked.steps,
        batch=asked.batch,
        learning_rate=asked.learning_rate,
        evaluate=asked.every,
        checkpoint=asked.state,
    )
    inputs = given_inputs(asked.fitted, dense, options)
    if asked.start is None:
        trains = PruneOptions(zeros=asked.zeros, method=Method.TRAIN, training=training)
        seen = fitted_inputs(inputs, Method.TRAIN, trains)
        how = PruneOptions(zeros=asked.zeros, method=Method.CALIBRATED)
        start = prune(dense, how, seen).model
        start.write(asked.state + ".start.tflite")
    else:
        start = Model.read(asked.start)
    judged = given_inputs(asked.judged, dense, options)
    _print("calibrated", judge(dense, start, judged).outputs[0])
    distill(
        dense,
        InputSamples(inputs),
        replace(training, zeros=0.0, zeros_of=zeros_of(start)),
        start=start,
        progress=partial(tell, dense, judged, asked.batch, asked.state, set()),
    )


if __name__ == "__main__":
    main()
