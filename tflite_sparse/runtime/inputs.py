"""Inputs for a model: random ones in the range and type of each, or those of a file."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tflite_sparse.errors import FileError, Place, UsageError
from tflite_sparse.model.sizes.sized import shapes_asked
from tflite_sparse.model.types import dtype
from tflite_sparse.words.names import readable
from tflite_sparse.words.numbers import listing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from tflite_sparse.model import Model
    from tflite_sparse.runtime.observations import Outputs

__all__ = [
    "InputSpec",
    "differ",
    "input_specs",
    "load_array",
    "load_folder",
    "load_inputs",
    "matched",
    "random_inputs",
    "read_arrays",
]

# What numpy and the reader of zip archives raise where a file is none, or a damaged one.
_UNREADABLE = (EOFError, OSError, RuntimeError, ValueError, zipfile.BadZipFile, zlib.error)

_INDICES = 8
"""Random integers of 32 and 64 bits stay below this: they are most often indices."""

_FEW = 3
"""How many folders are named where a folder has no inputs itself."""


class InputSpec(NamedTuple):
    """An input of a model.

    Attributes:
        key: what the driver calls it: a name of the signature, or its position.
        name: its name for people.
        shape: its shape; sizes that the file leaves open are those that the model is looked at
            with.
        type: its element type by the schema's name.
    """

    key: str
    name: str
    shape: tuple[int, ...]
    type: str


def input_specs(
    model: Model,
    signature: str | None = None,
    batch: int | None = None,
    input_shapes: Mapping[str, Sequence[int]] | None = None,
) -> tuple[InputSpec, ...]:
    """The inputs of a model's signature, or of its main subgraph.

    Args:
        model: the model.
        signature: key of a signature; None for the main subgraph.
        batch: size of the first dimension where that is open.
        input_shapes: shapes of inputs that leave sizes open, by name, "" for the only one.

    Raises:
        UsageError: there is no such signature or input, or no model of such a size.
        ModelError: the model has no subgraph.
    """
    shapes_asked(model, input_shapes, batch)
    if signature is None:
        pairs = [(str(i), t) for i, t in enumerate(model.main.inputs)]
    else:
        signatures = {entry.key: entry for entry in model.signatures}
        if signature not in signatures:
            raise UsageError(
                f"there is no signature {signature!r}",
                place=Place(file=model.name),
                hint="signatures: " + (", ".join(map(readable, signatures)) or "none"),
            )
        pairs = list(signatures[signature].inputs)
    return tuple(
        InputSpec(
            key,
            readable(tensor.name) if signature is None else readable(key),
            tuple(max(size, 1) for size in tensor.shape),
            tensor.type,
        )
        for key, tensor in pairs
    )


def random_inputs(specs: tuple[InputSpec, ...], trials: int, seed: int = 0) -> tuple[Outputs, ...]:
    """Random inputs; the same seed gives the same ones.

    Floats are uniform in [-1, 1), integers of 8 and 16 bits take their whole range, wider ones stay
    small, since they are most often indices.

    Raises:
        UsageError: an input is of a type for which there are no random values.
    """
    rng = np.random.default_rng(seed)
    return tuple({spec.key: _random(spec, rng) for spec in specs} for _ in range(trials))


def differ(feeds: Sequence[Outputs]) -> bool:
    """Whether any two sets of inputs are not the same, so that outputs may differ too."""
    return any(
        not np.array_equal(value, other[key])
        for other in feeds[1:]
        for key, value in feeds[0].items()
    )


def _random(spec: InputSpec, rng: np.random.Generator) -> NDArray[Any]:
    kind = dtype(spec.type)
    if kind is None or kind.kind == "c":
        raise UsageError(
            f"there are no random values for input {spec.name!r} of type {spec.type}",
            hint="give the inputs with --inputs FILE.npz",
        )
    if kind.kind == "f":
        return rng.uniform(-1, 1, spec.shape).astype(kind)
    if kind.kind == "b":
        return np.asarray(rng.integers(0, 2, spec.shape), kind)
    if kind.itemsize <= np.dtype(np.int16).itemsize:
        limits = np.iinfo(str(kind))
        return rng.integers(limits.min, limits.max, spec.shape, kind, endpoint=True)
    return rng.integers(0, _INDICES, spec.shape, kind)


def load_inputs(path: str, specs: tuple[InputSpec, ...]) -> tuple[Outputs, ...]:
    """Inputs from an .npz file with an array for each input, by name or by position.

    An array with one dimension more than the input holds one trial after the other.

    Raises:
        FileError: the file cannot be read.
        UsageError: an array is missing, holds no trial, or has another type or rank than the
            input; or there are no inputs.
    """
    place = Place(file=path)
    arrays = read_arrays(Path(path), ".npz")
    if isinstance(arrays, np.ndarray):
        raise FileError("no readable .npz file: it holds one array without a name", place=place)
    return matched(arrays, specs, place)


def load_folder(path: str, specs: tuple[InputSpec, ...]) -> tuple[Outputs, ...]:
    """Inputs from all .npz and .npy files of a folder, in the order of their names.

    An .npz file is read as by `load_inputs`; an .npy file is the input of a model that has one.

    Raises:
        FileError: there are none, or one cannot be read.
        UsageError: an array does not fit the inputs.
    """
    folder, place = Path(path), Place(file=path)
    if not folder.is_dir():
        raise FileError("no such folder", place=place)
    trials: list[Outputs] = []
    for file in sorted(folder.iterdir()):
        if file.suffix == ".npz":
            trials += load_inputs(str(file), specs)
        elif file.suffix == ".npy":
            trials += load_array(str(file), specs)
    if not trials:
        below = sorted(each.name for each in folder.iterdir() if each.is_dir())[:_FEW]
        raise FileError(
            "no image and no .npz or .npy file lies in the folder itself",
            place=place,
            hint=f"name one of its folders: {listing(below)}" if below else None,
        )
    return tuple(trials)


def load_array(path: str, specs: tuple[InputSpec, ...]) -> tuple[Outputs, ...]:
    """Inputs from an .npy file, for a model with one input; see `load_inputs`.

    Raises:
        FileError: the file cannot be read.
        UsageError: the array does not fit the input.
    """
    array = read_arrays(Path(path), ".npy")
    arrays = {specs[0].key: array} if specs and isinstance(array, np.ndarray) else {}
    return matched(arrays, specs, Place(file=path))


def read_arrays(path: Path, kind: str) -> NDArray[Any] | dict[str, NDArray[Any]]:
    """What a file of numpy holds: one array, or arrays by their names.

    Args:
        path: the file.
        kind: the ending that such a file has, for errors.

    Raises:
        FileError: the file cannot be read.
    """
    place = Place(file=str(path))
    try:
        with path.open("rb") as file:
            stored: Any = np.load(file, allow_pickle=False)
            return stored if isinstance(stored, np.ndarray) else dict(stored)
    except FileNotFoundError:
        raise FileError("no such file", place=place) from None
    except _UNREADABLE as error:
        # What numpy advises then, to load what may be code, helps nobody.
        why = "it holds none of numpy's arrays" if "pickle" in str(error) else error
        raise FileError(f"no readable {kind} file: {why}", place=place) from None


def matched(
    arrays: Mapping[str, NDArray[Any]], specs: tuple[InputSpec, ...], place: Place
) -> tuple[Outputs, ...]:
    """Sets of inputs out of arrays by the inputs' names or positions.

    Args:
        arrays: the arrays; one with one dimension more than the input holds several sets.
        specs: the inputs.
        place: where the arrays are from, for errors.

    Raises:
        UsageError: an array is missing, holds nothing, or has another type or rank than the input.
    """
    if not specs:
        raise UsageError(
            "the model has no inputs that a file could hold", place=place, hint="leave the file out"
        )
    trials: list[list[NDArray[Any]]] = []
    for spec in specs:
        array = arrays.get(spec.name, arrays.get(spec.key))
        if array is None:
            raise UsageError(
                f"the file has no array for input {spec.name!r}",
                place=place,
                hint=f"name it {spec.name!r} or {spec.key!r}; found: {', '.join(arrays) or 'none'}",
            )
        trials.append(_trials(array, spec, place))
    counts = {len(arrays_of_input) for arrays_of_input in trials}
    if len(counts) > 1:
        raise UsageError("the inputs have different numbers of trials", place=place)
    if counts == {0}:
        raise UsageError("the file has no trial: its first dimension is 0", place=place)
    keys = [spec.key for spec in specs]
    return tuple(dict(zip(keys, values, strict=True)) for values in zip(*trials, strict=True))


def _trials(array: NDArray[Any], spec: InputSpec, place: Place) -> list[NDArray[Any]]:
    wanted = dtype(spec.type)
    if wanted is not None and array.dtype != wanted:
        raise UsageError(
            f"input {spec.name!r} is {spec.type}, the file has {array.dtype}",
            place=place,
            hint=f"store it as {wanted}: array.astype('{wanted}')",
        )
    rank = len(spec.shape)
    if array.ndim == rank:
        return [array]
    if array.ndim == rank + 1:
        return list(array)
    raise UsageError(
        f"input {spec.name!r} has {rank} dimensions, the file has an array of {array.ndim}",
        place=place,
    )
