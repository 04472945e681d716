"""Images as inputs of a model: resized, normalised, laid out as it expects."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.errors import FileError, Place, RuntimeUnavailableError, UsageError
from tflite_sparse.model.types import dtype
from tflite_sparse.records import Count, Record
from tflite_sparse.runtime.lazy import LazySequence

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tflite_sparse.runtime.data.normalization import Normalization
    from tflite_sparse.runtime.inputs import InputSpec
    from tflite_sparse.runtime.observations import Outputs

__all__ = ["SUFFIXES", "ImageOptions", "Images", "Preparation", "Source"]

SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"})

_RANK = 4
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
_LAYOUTS = ("nhwc", "nchw")
_MIDDLE = 127.5


class ImageOptions(Record, frozen=True):
    """How images become inputs.

    Attributes:
        mean: what is taken from each channel of 0 to 255: one number, or one a channel; None for
            what the metadata of the model say, or 127.5 where they say nothing.
        std: what that is divided by; likewise.
        layout: "nhwc" or "nchw"; None for what the shape of the input says.
    """

    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    layout: str | None = None

    def __post_init__(self) -> None:
        if self.layout is not None and self.layout not in _LAYOUTS:
            raise UsageError(f"there is no layout {self.layout!r}", hint="nhwc or nchw")
        if self.std is not None and not all(self.std):
            raise UsageError("--std divides, so that it cannot be 0")

    @property
    def asked(self) -> bool:
        """Whether anything was asked for."""
        return self != ImageOptions()


class Source(str, Enum):
    """Where something is known from."""

    OPTION = "option"
    METADATA = "metadata"
    DEFAULT = "default"
    SHAPE = "shape"

    def __str__(self) -> str:
        return self.value


class Preparation(Record, frozen=True):
    """How images became inputs.

    Attributes:
        height: rows of an input.
        width: columns of it.
        mean: what was taken from each channel of 0 to 255: one number, or one a channel.
        mean_from: where that is known from: "option", "metadata" of the model, or "default" for
            what is most often right.
        std: what the difference was divided by.
        std_from: likewise.
        layout: "nhwc" or "nchw".
        layout_from: "option", or "shape" of the input.
    """

    height: Count
    width: Count
    mean: tuple[float, ...]
    mean_from: Source
    std: tuple[float, ...]
    std_from: Source
    layout: str
    layout_from: Source


class Images(LazySequence["Outputs"]):
    """The images of a folder as sets of inputs, each decoded when it is asked for.

    Attributes:
        preparation: how they become inputs.

    Args:
        files: the images.
        spec: the only input of the model.
        options: how they become inputs.
        stated: what the metadata of the model say; None for nothing.

    Raises:
        RuntimeUnavailableError: pillow is not installed.
        UsageError: the input takes no images, or is normalised by as many numbers as it has not.
    """

    def __init__(
        self,
        files: Sequence[Path],
        spec: InputSpec,
        options: ImageOptions,
        stated: Normalization | None,
    ) -> None:
        _pillow()
        super().__init__(files)
        self._key = spec.key
        self._kind = dtype(spec.type)
        shape = spec.shape
        layout = options.layout or _layout(shape)
        if len(shape) != _RANK or layout is None or shape[0] != 1:
            raise UsageError(
                f"input {spec.name!r} of shape {list(shape)} takes no images one by one",
                hint="give arrays as .npy or .npz files, or a function as module:function",
            )
        self._first = layout == "nchw"
        self._size = (shape[3], shape[2]) if self._first else (shape[2], shape[1])
        self._channels = shape[1] if self._first else shape[3]
        if self._channels not in _MODES:
            raise UsageError(f"images have no {self._channels} channels")
        floats = self._kind is not None and self._kind.kind == "f"
        usual = (_MIDDLE,) if floats else (0.0,), (_MIDDLE,) if floats else (1.0,)
        given = usual if stated is None else (stated.mean, stated.std)
        self._mean = self._numbers(options.mean or given[0], "mean")
        self._std = self._numbers(options.std or given[1], "std")
        known = Source.DEFAULT if stated is None else Source.METADATA
        self.preparation = Preparation(
            self._size[1],
            self._size[0],
            options.mean or given[0],
            Source.OPTION if options.mean else known,
            options.std or given[1],
            Source.OPTION if options.std else known,
            layout,
            Source.OPTION if options.layout else Source.SHAPE,
        )

    def _numbers(self, values: tuple[float, ...], name: str) -> NDArray[np.float32]:
        if len(values) not in (1, self._channels):
            raise UsageError(
                f"--{name} has {len(values)} numbers, the images {self._channels} channels"
            )
        return np.asarray(values, np.float32)

    def read(self, index: int) -> Outputs:
        """The image at a place, decoded."""
        return {self._key: self._decoded(self._sources[index])}

    def _decoded(self, path: Path) -> NDArray[Any]:
        image_of, fit, bilinear, too_large = _pillow()
        try:
            with image_of(path) as image:
                whole = image.convert(_MODES[self._channels])
        except (OSError, EOFError, SyntaxError, ValueError, too_large) as error:
            raise FileError(f"no readable image: {error}", place=Place(file=str(path))) from None
        # The middle of it, in the proportions of the input.
        pixels = np.asarray(fit(whole, self._size, bilinear), np.float32)
        pixels = pixels.reshape(*pixels.shape[:2], self._channels)
        pixels = (pixels - self._mean) / self._std
        if self._first:
            pixels = pixels.transpose(2, 0, 1)
        kind = self._kind or np.dtype(np.float32)
        if kind.kind in "iu":
            limits = np.iinfo(str(kind))
            pixels = np.clip(np.rint(pixels), limits.min, limits.max)
        return np.ascontiguousarray(pixels[None], kind)


def _layout(shape: tuple[int, ...]) -> str | None:
    if len(shape) != _RANK:
        return None
    if shape[3] in _MODES:
        return "nhwc"
    return "nchw" if shape[1] in _MODES else None


def _pillow() -> tuple[Any, Any, Any, type[Exception]]:
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise RuntimeUnavailableError(
            "pillow, which reads images, is not installed",
            hint="pip install 'tflite-sparse[images]'",
        ) from None
    return Image.open, ImageOps.fit, Image.Resampling.BILINEAR, Image.DecompressionBombError
