"""What of two models is run: the main subgraph, and every signature that says something of its own.

A signature of the main subgraph that names the same inputs and outputs in both models is run with
it; any other one is run by its key. Subgraphs that operators call run with those.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from tflite_sparse.errors import Place, UsageError
from tflite_sparse.model.sizes.asked import open_shape
from tflite_sparse.runtime.inputs import input_specs, load_inputs, random_inputs
from tflite_sparse.words.names import readable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tflite_sparse.model import Model, Operator, Subgraph
    from tflite_sparse.model.model import Signature
    from tflite_sparse.runtime.inputs import InputSpec
    from tflite_sparse.runtime.observations import Outputs

__all__ = ["Entry", "Feeding", "beside_main", "entries"]


class Feeding(NamedTuple):
    """What models are run on.

    Attributes:
        trials: number of sets of random inputs.
        seed: their seed.
        inputs: an .npz file with inputs for the main subgraph, or for the signature that is asked
            for, instead of random ones.
        batch: size of the first dimension where that is open.
        input_shapes: shapes of inputs that leave sizes open, by name, "" for the only one.
    """

    trials: int
    seed: int
    inputs: str | None = None
    batch: int | None = None
    input_shapes: Mapping[str, Sequence[int]] | None = None


class Entry(NamedTuple):
    """Something to run.

    Attributes:
        signature: key of the signature; None for the main subgraph.
        feeds: inputs of each trial; none where it cannot be run.
        problem: why it cannot be run; "" where it can.
        missing: the model that has no such signature, by which they differ; "" for neither.
    """

    signature: str | None
    feeds: tuple[Outputs, ...]
    problem: str = ""
    missing: Literal["a", "b", ""] = ""


def entries(
    a: Model, b: Model, signature: str | None, feeding: Feeding
) -> tuple[list[Entry], tuple[str, ...]]:
    """What to run of two models, and what that leaves out.

    Args:
        a: the first model.
        b: the second.
        signature: the one signature to run; None for all, and the main subgraph.
        feeding: the inputs.

    Returns:
        The entries, and a sentence for every subgraph that nothing of them reaches, and for every
        signature that was not asked for.

    Raises:
        UsageError: there is no such signature, an input takes no random values, or the second model
            is fixed to another size than the one that was asked for.
        FileError: the file with the inputs cannot be read.
    """
    if feeding.input_shapes or feeding.batch is not None:
        _check_sizes(b, input_specs(a, None, feeding.batch, feeding.input_shapes))
    if signature is not None:
        return [Entry(signature, _feeds(a, signature, feeding))], tuple(_unasked(a, signature))
    entries = [Entry(None, _feeds(a, None, feeding))]
    ours = {entry.key: entry for entry in a.signatures}
    theirs = {entry.key: entry for entry in b.signatures}
    random = feeding._replace(inputs=None)
    for key in dict.fromkeys((*ours, *theirs)):
        if key not in ours or key not in theirs:
            missing: Literal["a", "b"] = "a" if key not in ours else "b"
            problem = f"{missing.upper()} has no signature {readable(key)!r}"
            entries.append(Entry(key, (), problem, missing))
        elif not _runs_with_main(ours[key], theirs[key]):
            try:
                entries.append(Entry(key, _feeds(a, key, random)))
            except UsageError as error:
                entries.append(Entry(key, (), error.message))
    return entries, tuple(_left_out(a))


def beside_main(model: Model) -> tuple[str, ...]:
    """Keys of the signatures that a run of the main subgraph tells nothing of."""
    return tuple(entry.key for entry in model.signatures if entry.subgraph is not model.main)


def _check_sizes(model: Model, specs: Sequence[InputSpec]) -> None:
    """Refuses sizes that a model does not leave open, and that it does not have."""
    for tensor, spec in zip(model.main.inputs, specs, strict=False):
        fixed = open_shape(tensor)
        if -1 not in fixed and fixed != tuple(spec.shape):
            raise UsageError(
                f"its input {readable(tensor.name)} is fixed to {list(fixed)} and does not take "
                f"{list(spec.shape)}",
                place=Place(file=model.name),
                hint="ask for the size that it has, or none",
            )


def _feeds(model: Model, signature: str | None, feeding: Feeding) -> tuple[Outputs, ...]:
    specs = input_specs(model, signature, feeding.batch, feeding.input_shapes)
    if feeding.inputs is not None:
        return load_inputs(feeding.inputs, specs)
    return random_inputs(specs, feeding.trials, feeding.seed)


def _runs_with_main(one: Signature, other: Signature) -> bool:
    """Whether a signature names the same of the main subgraph in both models."""
    places = [_places(entry) for entry in (one, other)]
    return places[0] is not None and places[0] == places[1]


def _places(signature: Signature) -> tuple[dict[str, int], dict[str, int]] | None:
    """Positions of its inputs and outputs by name; None where it is not of the main subgraph."""
    graph = signature.subgraph
    inputs, outputs = list(graph.inputs), list(graph.outputs)
    if graph.index or any(tensor not in inputs for _, tensor in signature.inputs):
        return None
    if any(tensor not in outputs for _, tensor in signature.outputs):
        return None
    return (
        {name: inputs.index(tensor) for name, tensor in signature.inputs},
        {name: outputs.index(tensor) for name, tensor in signature.outputs},
    )


def _unasked(model: Model, signature: str) -> Iterator[str]:
    """The signatures beside the one that is run."""
    for entry in model.signatures:
        if entry.key != signature:
            yield f"signature {readable(entry.key)!r}: another one was asked for"


def _left_out(model: Model) -> Iterator[str]:
    """The subgraphs that neither a signature nor an operator leads to."""
    waiting = [model.main, *(entry.subgraph for entry in model.signatures)]
    reached: set[Subgraph] = set()
    while waiting:
        graph = waiting.pop()
        if graph not in reached:
            reached.add(graph)
            waiting += [other for op in graph.operators for other in _called(op)]
    for graph in model.subgraphs:
        if graph not in reached:
            name = f" {readable(graph.name)!r}" if graph.name else ""
            yield f"subgraph {graph.index}{name}: no signature and no operator leads to it"


def _called(operator: Operator) -> Iterator[Subgraph]:
    options, graphs = operator.options, operator.subgraph.model.subgraphs
    if options is None:
        return
    for field in options.definition.by_name:
        if field == "subgraph" or "subgraph_ind" in field:
            numbers = options[field]
            for number in [] if numbers is None else np.atleast_1d(numbers).tolist():
                if 0 <= number < len(graphs):
                    yield graphs[number]
