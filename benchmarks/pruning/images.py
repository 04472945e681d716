"""What quality pruning leaves of a classifier of images, at what cost.

Run as: python -m benchmarks.pruning.images MODEL FITTED JUDGED --mean 127 --std 128

Values are fitted to the images of one folder and judged on those of another.
"""

from __future__ import annotations

import resource

from benchmarks.pruning.arguments import image_parser
from tflite_sparse.model import Model
from tflite_sparse.pruning.judge import judge
from tflite_sparse.pruning.options import Allocation, Method, PruneOptions
from tflite_sparse.pruning.prune import prune
from tflite_sparse.runtime.data.given import given_inputs
from tflite_sparse.runtime.data.images import ImageOptions


def main() -> None:
    """Prunes a model by each way that is asked for and prints a line for each."""
    parser = image_parser(__doc__)
    parser.add_argument("--speed", type=float, help="times as fast as dense, in place of --zeros")
    parser.add_argument("--target", nargs="*", default=[])
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--ways", nargs="+", default=["magnitude", "uniform", "fidelity"])
    asked = parser.parse_args()
    model = Model.read(asked.model)
    options = ImageOptions((asked.mean,), (asked.std,))
    every = given_inputs(asked.fitted, model, options)
    # Folders are often in order of their classes: the first images show a few of these alone.
    fitted = every[:: max(1, len(every) // asked.images)][: asked.images]
    judged = given_inputs(asked.judged, model, options)
    for way in asked.ways:
        by_size = way == "magnitude"
        method = Method.MAGNITUDE if by_size else Method.CALIBRATED
        allocation = Allocation.UNIFORM if by_size else Allocation(way)
        before = _seconds()
        pruned = prune(
            model,
            PruneOptions(
                zeros=None if asked.speed else asked.zeros,
                speed=asked.speed,
                method=method,
                allocation=allocation,
                targets=tuple(asked.target),
            ),
            () if by_size else fitted,
        )
        spent = _seconds() - before
        quality = judge(model, pruned.model, judged)
        speed = pruned.report.speed[-1]
        first = quality.outputs[0]
        print(
            f"{way}: {pruned.report.share:.1%} zeros, agreement {first.top1}, KL {first.kl},"
            f" {speed.sparse} of {len(pruned.report.filters)} sparse,"
            f" {speed.dense_ms} to {speed.ms} ms on {speed.target}, {spent:.0f} CPU s,"
            f" {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB"
        )


def _seconds() -> float:
    """Seconds of processor time of this process and of those that it waited for."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)


if __name__ == "__main__":
    main()
