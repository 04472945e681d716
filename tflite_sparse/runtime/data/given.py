"""The one door through which inputs of users come."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.errors import FileError, Place, UsageError, told
from tflite_sparse.runtime.data.images import SUFFIXES, ImageOptions, Images, Preparation
from tflite_sparse.runtime.data.normalization import stated_normalization
from tflite_sparse.runtime.inputs import input_specs, load_array, load_folder, load_inputs, matched
from tflite_sparse.runtime.lazy import LazySequence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from tflite_sparse.model import Model
    from tflite_sparse.runtime.inputs import InputSpec
    from tflite_sparse.runtime.observations import Outputs

    # Of each input its name, and its sizes: None where the file leaves one open.
    _Sizes = Mapping[str, tuple[str, tuple[int | None, ...]]]

__all__ = ["function_of", "given_inputs", "preparation_of"]

_ARRAYS = frozenset({".npy", ".npz"})
_MAP = 4
_MOST = 100_000
"""So many inputs of a function are taken at most: it may never end."""
_MOST_BYTES = 4 * 2**30


def given_inputs(
    source: str,
    model: Model,
    images: ImageOptions | None = None,
    *,
    batch: int | None = None,
    input_shapes: Mapping[str, Sequence[int]] | None = None,
) -> Sequence[Outputs]:
    """Sets of inputs, by position.

    Args:
        source: a folder of images, or of .npz and .npy files; such a file, in which samples may
            be stacked along the batch of 1 that the model has or leaves open; or "module:function",
            which is imported from the current folder too. It yields arrays, tuples of arrays, or
            arrays by the inputs' names, with or without a batch in front; what else is in a
            tuple, such as a class, is left. Where it gives something with a length, such as a
            dataset of PyTorch, its items are read when they are needed.
        model: the model that they are for.
        images: how images become inputs.
        batch: size of the first dimension where that is open.
        input_shapes: shapes of inputs that leave sizes open, by name, "" for the only one.

    Raises:
        FileError: there are none, or one cannot be read, or the function fails.
        UsageError: one does not fit the inputs of the model, or there is no such function.
        RuntimeUnavailableError: pillow, which reads images, is not installed.
    """
    specs = input_specs(model, None, batch, input_shapes)
    path = Path(source)
    fixed = _fixed_sizes(model, specs)
    if path.is_file():
        read = load_inputs if path.suffix == ".npz" else load_array
        return _all_fitting(read(source, specs), fixed, Place(file=source))
    if not path.exists() and ":" in source:
        return _yielded(source, specs, fixed)
    files = sorted(f for f in path.iterdir()) if path.is_dir() else []
    pictures = [f for f in files if f.suffix.lower() in SUFFIXES]
    if not pictures or any(f.suffix in _ARRAYS for f in files):
        if images is not None and images.asked:
            raise UsageError("--mean, --std and --layout are for a folder of images")
        return _all_fitting(load_folder(source, specs), fixed, Place(file=source))
    if len(specs) != 1:
        raise UsageError(
            f"the model has {len(specs)} inputs, and images can be those of one",
            hint="give arrays as .npz files, or a function as module:function",
        )
    return Images(pictures, specs[0], images or ImageOptions(), stated_normalization(model))


def preparation_of(inputs: Sequence[Outputs]) -> Preparation | None:
    """How images became sets of inputs; None for what are no images.

    Args:
        inputs: what `given_inputs` returned.
    """
    return inputs.preparation if isinstance(inputs, Images) else None


def function_of(text: str) -> Callable[..., Any]:
    """A user's own function, "module:function".

    Raises:
        UsageError: there is none, or its module cannot be imported.
    """
    module, _, name = text.partition(":")
    if not name:
        raise UsageError(f"{text!r} names no function", hint="write module:function")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        function = getattr(importlib.import_module(module), name, None)
    except ImportError as error:
        raise UsageError(f"{text!r}: {error}", hint="write module:function") from None
    except (Exception, SystemExit) as error:
        # The module is the user's, and may fail in any way.
        raise UsageError(f"{text!r} cannot be imported: {told(error)}") from error
    if not callable(function):
        raise UsageError(f"module {module!r} has no function {name!r}")
    return function  # type: ignore[no-any-return]


def _fixed_sizes(model: Model, specs: tuple[InputSpec, ...]) -> _Sizes:
    """The sizes that inputs have for good, None where the file leaves one open."""
    sizes_of = {}
    for spec, tensor in zip(specs, model.main.inputs, strict=True):
        stated = tensor.shape_signature or ()
        sizes = stated if len(stated) == len(spec.shape) else tensor.shape
        fixed = tuple(None if size < 0 else size for size in sizes)
        # A batch that was asked for is as fixed as one in the file.
        if fixed[:1] == (None,) and spec.shape[0] > 1:
            fixed = (spec.shape[0], *fixed[1:])
        sizes_of[spec.key] = (spec.name, fixed)
    return sizes_of


def _all_fitting(sets: Sequence[Outputs], fixed: _Sizes, place: Place) -> list[Outputs]:
    """Sets of inputs of the sizes that the model has; a stack of samples is a set a sample.

    Raises:
        UsageError: one is of other sizes.
    """
    fitting = [_fitting(one, fixed, place) for one in sets]
    if not fixed or not all(_is_sample(sizes) for _, sizes in fixed.values()):
        return fitting
    return [sample for one in fitting for sample in _samples(one)]


def _is_sample(sizes: tuple[int | None, ...]) -> bool:
    """Whether an input holds one sample, or one map as long as nobody asks for more."""
    return sizes[:1] == (1,) or (sizes[:1] == (None,) and len(sizes) == _MAP)


def _samples(inputs: Outputs) -> list[Outputs]:
    """A set for each sample, where all arrays hold as many along their first dimension."""
    counts = {value.shape[0] for value in inputs.values()}
    if len(counts) != 1:
        return [inputs]
    return [{key: value[i : i + 1] for key, value in inputs.items()} for i in range(counts.pop())]


def _fitting(inputs: Outputs, fixed: _Sizes, place: Place) -> Outputs:
    """A set of inputs, of the sizes that the model has.

    Raises:
        UsageError: one is of others: LiteRT would resize the model to them without a word.
    """
    for key, (name, sizes) in fixed.items():
        given, behind = inputs[key].shape[1:], sizes[1:]
        if any(size not in (None, own) for size, own in zip(behind, given, strict=True)):
            wanted = "x".join("?" if size is None else str(size) for size in behind)
            raise UsageError(
                f"input {name!r} is {wanted} behind the batch, an array is"
                f" {'x'.join(map(str, given))}",
                place=place,
                hint="bring the data to that size",
            )
    return inputs


class _Dataset(LazySequence["Outputs"]):
    """Items of a user's sequence as sets of inputs."""

    def __init__(
        self, items: Any, specs: tuple[InputSpec, ...], fixed: _Sizes, place: Place
    ) -> None:
        super().__init__(items)
        self._specs = specs
        self._fixed = fixed
        self._place = place

    def read(self, index: int) -> Outputs:
        """The item at a place as a set of inputs."""
        try:
            item = self._sources[index]
        except (Exception, SystemExit) as error:
            raise FileError(f"item {index} fails: {told(error)}", place=self._place) from error
        sets = matched(_by_name(item, self._specs), self._specs, self._place)
        if len(sets) != 1:
            raise UsageError(
                f"item {index} holds {len(sets)} sets of inputs, not one", place=self._place
            )
        return _fitting(sets[0], self._fixed, self._place)


def _yielded(source: str, specs: tuple[InputSpec, ...], fixed: _Sizes) -> Sequence[Outputs]:
    place = Place(file=source)
    function = function_of(source)
    try:
        given = function()
    except (Exception, SystemExit) as error:
        raise FileError(f"the function fails: {told(error)}", place=place) from error
    if _is_dataset(given):
        if not len(given):
            raise FileError("the function gives nothing", place=place)
        return _Dataset(given, specs, fixed, place)
    trials: list[Outputs] = []
    nbytes = 0
    for item in _items(given, place):
        sets = _all_fitting(matched(_by_name(item, specs), specs, place), fixed, place)
        trials += sets
        nbytes += sum(value.nbytes for one in sets for value in one.values())
        if nbytes > _MOST_BYTES:
            raise FileError(
                f"the function yields more than {len(trials) - 1:,} inputs, which is too much to"
                " keep in memory",
                place=place,
                hint="yield fewer, or give a dataset with a length, of which items are read when"
                " they are needed",
            )
        if len(trials) >= _MOST:
            break
    if not trials:
        raise FileError("the function yields nothing", place=place)
    return trials


def _is_dataset(given: Any) -> bool:
    """Whether items can be read one by one, in any order."""
    if isinstance(given, (list, tuple, dict, np.ndarray)):
        return False
    if not (hasattr(given, "__getitem__") and hasattr(given, "__len__")):
        return False
    if hasattr(given, "__iter__"):
        # Streams of PyTorch inherit what makes them look like datasets.
        try:
            given[0]
        except NotImplementedError:
            return False
        except Exception:  # noqa: BLE001 - told where the item is read
            return True
    return True


def _items(given: Any, place: Place) -> Iterator[Any]:
    """What a user's function yields, and its errors in one line."""
    if not hasattr(given, "__iter__") and not hasattr(given, "__getitem__"):
        raise FileError(
            f"the function gives {type(given).__name__}, and not inputs one after the other",
            place=place,
            hint="let it yield arrays, or return a list of them",
        )
    try:
        yield from given
    except (Exception, SystemExit) as error:
        raise FileError(f"the function fails: {told(error)}", place=place) from error


def _by_name(item: Any, specs: tuple[InputSpec, ...]) -> dict[str, Any]:
    if hasattr(item, "items"):
        return {str(name): np.asarray(value) for name, value in item.items()}
    parts = item if isinstance(item, (tuple, list)) else (item,)
    return {
        spec.key: _with_batch(np.asarray(part), spec)
        for spec, part in zip(specs, parts, strict=False)
    }


def _with_batch(value: NDArray[Any], spec: InputSpec) -> NDArray[Any]:
    """A sample as datasets hold it, with the batch in front that the model has."""
    alone = spec.shape[:1] == (1,) and value.ndim == len(spec.shape) - 1
    return value[None] if alone else value
