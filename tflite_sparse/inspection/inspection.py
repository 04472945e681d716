"""What an inspection says, as plain data that any report can render."""

from __future__ import annotations

import importlib.util
from typing import Annotated, Any

import msgspec

from tflite_sparse.errors import RuntimeUnavailableError
from tflite_sparse.inspection.file.file_types import FileFacts
from tflite_sparse.inspection.if_pruned_types import IfPruned
from tflite_sparse.inspection.runtime_types import OlderRelease, TargetGroup
from tflite_sparse.inspection.weights.weight_types import WeightFacts
from tflite_sparse.model.sizes.sized import InputShapes
from tflite_sparse.records import Count, Record
from tflite_sparse.words.numbers import count_of, listing, percent, size

__all__ = [
    "Inspection",
    "OperatorFacts",
    "Problem",
    "Totals",
]

_SHOWN = 6


class Problem(Record, frozen=True):
    """Something in a model that is wrong, while the rest of it can still be read.

    Attributes:
        message: what is wrong.
        place: where, in words.
    """

    message: str
    place: str


class OperatorFacts(Record, frozen=True):
    """An operator that multiplies.

    Attributes:
        subgraph: index of its subgraph.
        index: its position in the subgraph.
        name: name by the schema.
        output: name of its first output.
        macs: multiply-accumulate operations of one run.
        pointwise: whether it is a 1x1 convolution.
    """

    subgraph: Count
    index: Count
    name: str
    output: str
    macs: Count
    pointwise: bool


class Totals(Record, frozen=True):
    """Sums over the model.

    Attributes:
        weight_tensors: number of weights.
        sparse_tensors: how many of them are stored sparse.
        weights: values of all weights.
        zeros: those that are zero.
        near_zeros: those that are near zero but not zero.
        pointwise_weights: values of the weights of 1x1 convolutions.
        pointwise_zeros: those that are zero.
        macs: multiply-accumulate operations of one run of every operator.
        pointwise_macs: those of 1x1 convolutions.
        bytes_now: size of the file.
        bytes_dense: size if every weight were stored dense: predicted.
        bytes_sparse: size if the dense weights that get smaller so were stored sparse: predicted.
        gzip_now: size of the file after gzip (zlib, level 6); None where it was not computed.
        gzip_sparse: the same of the file with those weights stored sparse.
        wide_weights: values of the weights of convolutions wider than 1x1 over feature maps, which
            run sparse once `adapt` makes them sums of 1x1 convolutions.
        wide_zeros: those that are zero.
        wide_macs: multiply-accumulate operations of these convolutions.
        activations: bytes of the activations that are alive at once, at most: estimated.
    """

    weight_tensors: Count
    sparse_tensors: Count
    weights: Count
    zeros: Count
    near_zeros: Count
    pointwise_weights: Count
    pointwise_zeros: Count
    macs: Count
    pointwise_macs: Count
    bytes_now: Count
    bytes_dense: Count
    bytes_sparse: Count
    gzip_now: Count | None
    gzip_sparse: Count | None
    wide_weights: Count = 0
    wide_zeros: Count = 0
    wide_macs: Count = 0
    activations: Count = 0


class Inspection(Record, frozen=True):
    """Everything that the tool knows about a model.

    Attributes:
        path: the file as the user named it, None for a model in memory.
        size: bytes of the file.
        sha256: digest of the file, None where it was not asked for.
        near: the bound of magnitude for near zeros.
        runtime: what the runtime does with each subgraph, on each group of targets.
        file: what the file says about itself.
        operators: the operators that multiply, in the order of the file.
        weights: the weights, in the order of the file.
        totals: sums over the model.
        problems: what is wrong in the model.
        input_shapes: the sizes that all this holds for; None where the file leaves none open.
        what_if: what more zeros would win; empty where it has enough, or they would win nothing.
        older: where releases of the runtime that are still in use do worse than the newest.
    """

    path: str | None
    size: Count
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")] | None
    near: float
    runtime: tuple[TargetGroup, ...]
    file: FileFacts
    operators: tuple[OperatorFacts, ...]
    weights: tuple[WeightFacts, ...]
    totals: Totals
    problems: tuple[Problem, ...]
    input_shapes: InputShapes | None = None
    what_if: tuple[IfPruned, ...] = ()
    older: tuple[OlderRelease, ...] = ()

    def __repr__(self) -> str:
        """Ten lines at most: the whole is in the fields, and in `to_dict()`."""
        totals = self.totals
        weights = count_of(totals.weight_tensors, "weight")
        zeros = percent(totals.zeros, totals.weights)
        name = self.path or "a model in memory"
        lines = [f"<Inspection of {name}: {size(self.size)}, {weights}, {zeros} zeros"]
        for group in self.runtime[:_SHOWN]:
            names = listing([target.name for target in group.targets])
            lines.append(f"  {group.outcome.value} on {names}")
        lines += [f"  damaged: {problem.message}" for problem in self.problems[:1]]
        return "\n".join(lines) + ">"

    def to_dataframe(self) -> Any:
        """The weights as a table of pandas, one row each.

        Raises:
            RuntimeUnavailableError: pandas is not installed.
        """
        if importlib.util.find_spec("pandas") is None:
            raise RuntimeUnavailableError("pandas is not installed", hint="pip install pandas")
        import pandas as pd

        rows = [
            {
                "name": weight.name,
                "operator": weight.uses[0].name if weight.uses else "",
                "shape": weight.shape,
                "type": weight.type,
                "zeros": weight.zero_share,
                "storage": weight.storage,
                "bytes": weight.bytes_now,
                "bytes_sparse": weight.bytes_sparse,
            }
            for weight in self.weights
        ]
        return pd.DataFrame(rows)
