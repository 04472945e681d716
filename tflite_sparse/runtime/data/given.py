"""The one door through which inputs of users come."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from tflite_sparse.errors import FileError, Place, UsageError
from tflite_sparse.runtime.data.images import SUFFIXES, ImageOptions, Images
from tflite_sparse.runtime.data.normalization import stated_normalization
from tflite_sparse.runtime.inputs import input_specs, load_array, load_folder, load_inputs, matched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from tflite_sparse.model import Model
    from tflite_sparse.runtime.inputs import InputSpec
    from tflite_sparse.runtime.observations import Outputs

__all__ = ["function_of", "given_inputs"]

_ARRAYS = frozenset({".npy", ".npz"})
_MOST = 100_000
"""So many inputs of a function are taken at most: it may never end."""


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
        source: a folder of images, or of .npz and .npy files; such a file; or "module:function",
            which is imported from the current folder too. It yields arrays, tuples of arrays, or
            arrays by the inputs' names, with or without a batch of 1 in front; what else is in a
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
    if path.is_file():
        read = load_inputs if path.suffix == ".npz" else load_array
        return read(source, specs)
    if not path.exists() and ":" in source:
        return _yielded(source, specs)
    files = sorted(f for f in path.iterdir()) if path.is_dir() else []
    pictures = [f for f in files if f.suffix.lower() in SUFFIXES]
    if not pictures or any(f.suffix in _ARRAYS for f in files):
        if images is not None and images.asked:
            raise UsageError("--mean, --std and --layout are for a folder of images")
        return load_folder(source, specs)
    if len(specs) != 1:
        raise UsageError(
            f"the model has {len(specs)} inputs, and images can be those of one",
            hint="give arrays as .npz files, or a function as module:function",
        )
    return Images(pictures, specs[0], images or ImageOptions(), stated_normalization(model))


def function_of(text: str) -> Callable[..., Any]:
    """A user's own function, "module:function".

    Raises:
        UsageError: there is none, or its module cannot be imported.
    """
    module, _, name = text.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        function = getattr(importlib.import_module(module), name, None)
    except ImportError as error:
        raise UsageError(f"{text!r}: {error}", hint="write module:function") from None
    except Exception as error:
        # The module is the user's, and may fail in any way.
        raise UsageError(f"{text!r} cannot be imported: {_told(error)}") from error
    if not callable(function):
        raise UsageError(f"module {module!r} has no function {name!r}")
    return function  # type: ignore[no-any-return]


class _Dataset(Sequence["Outputs"]):
    """Items of a user's sequence as sets of inputs, each read when it is asked for."""

    def __init__(self, items: Any, specs: tuple[InputSpec, ...], place: Place) -> None:
        self._items = items
        self._specs = specs
        self._place = place

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, index: int) -> Outputs: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Outputs]: ...

    def __getitem__(self, index: int | slice) -> Outputs | Sequence[Outputs]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        try:
            item = self._items[index]
        except Exception as error:
            raise FileError(f"item {index} fails: {_told(error)}", place=self._place) from error
        sets = matched(_by_name(item, self._specs), self._specs, self._place)
        if len(sets) != 1:
            raise UsageError(
                f"item {index} holds {len(sets)} sets of inputs, not one", place=self._place
            )
        return sets[0]


def _yielded(source: str, specs: tuple[InputSpec, ...]) -> Sequence[Outputs]:
    place = Place(file=source)
    function = function_of(source)
    try:
        given = function()
    except Exception as error:
        raise FileError(f"the function fails: {_told(error)}", place=place) from error
    is_dataset = hasattr(given, "__getitem__") and hasattr(given, "__len__")
    if is_dataset and not isinstance(given, (list, tuple, dict, np.ndarray)):
        if not len(given):
            raise FileError("the function gives nothing", place=place)
        return _Dataset(given, specs, place)
    trials: list[Outputs] = []
    for item in _items(given, place):
        trials += matched(_by_name(item, specs), specs, place)
        if len(trials) >= _MOST:
            break
    if not trials:
        raise FileError("the function yields nothing", place=place)
    return trials


def _items(given: Any, place: Place) -> Iterator[Any]:
    """What a user's function yields, and its errors in one line."""
    try:
        yield from given
    except Exception as error:
        raise FileError(f"the function fails: {_told(error)}", place=place) from error


def _told(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())


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
