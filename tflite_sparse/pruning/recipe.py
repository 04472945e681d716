"""How one share of zeros comes about, in a file: what a sweep writes and `prune` carries out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec

from tflite_sparse.errors import FileError, Place
from tflite_sparse.files.output import replacing
from tflite_sparse.pruning.options import Allocation, LayerShare, Method, PruneOptions
from tflite_sparse.records import Count, Record, Share
from tflite_sparse.storage.values.options import StoredValues

if TYPE_CHECKING:
    import os

__all__ = ["Recipe", "RecipeLayer", "read_recipe"]

_VERSION = 1


class RecipeLayer(Record, frozen=True):
    """A filter.

    Attributes:
        name: its name.
        elements: number of its values.
        zeros: how many of them become zero.
        operators: labels of the operators that read it, such as "CONV_2D #4", which tell filters of
            one name apart; empty in recipes of earlier versions of this program.
    """

    name: str
    elements: Count
    zeros: Count
    operators: tuple[str, ...] = ()

    @property
    def share(self) -> Share:
        """Its share of zeros."""
        return min(1.0, self.zeros / self.elements) if self.elements else 0.0


class Recipe(Record, frozen=True):
    """How many zeros, where, and how they are chosen.

    Attributes:
        recipe_version: version of this format; it grows when a reader must know of a change.
        sha256: digest of the model that it was made for; another training of it will do.
        zeros: share of zeros in all filters together.
        method: how values are chosen.
        allocation: how zeros were spread over filters.
        block: neighbouring output channels that become zero together.
        values: the numbers in which `optimize --values` is to store weights.
        targets: targets on which the filters run sparse.
        layers: the filters.
    """

    recipe_version: Count
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    zeros: Share
    method: Method
    allocation: Allocation
    block: Count
    values: StoredValues
    targets: tuple[str, ...]
    layers: tuple[RecipeLayer, ...]

    @classmethod
    def version(cls) -> int:
        """The version of the format that this program writes and reads."""
        return _VERSION

    def options(self) -> PruneOptions:
        """What pruning is asked for by it."""
        return PruneOptions(
            zeros=self.zeros,
            method=self.method,
            allocation=self.allocation,
            block=self.block,
            targets=self.targets,
            layers=tuple(LayerShare(one.name, one.operators, one.share) for one in self.layers),
        )

    def write(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Writes it as JSON.

        Raises:
            FileError: it cannot be written, or a file is there.
        """
        with replacing(path, fresh=not overwrite) as file:
            file.write(msgspec.json.format(msgspec.json.encode(self.to_dict()), indent=2) + b"\n")


def read_recipe(path: str) -> Recipe:
    """The recipe in a file.

    Raises:
        FileError: it cannot be read, or is none.
    """
    hint = "'tflite-sparse sweep --recipe 80=FILE' writes one"
    try:
        recipe = msgspec.json.decode(Path(path).read_bytes(), type=Recipe)
    except OSError as error:
        raise FileError(error.strerror or str(error), place=Place(file=path)) from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        why = str(error)
        raise FileError(f"no recipe: {why}", place=Place(file=path), hint=hint) from error
    if recipe.recipe_version != _VERSION:
        raise FileError(
            f"a recipe of version {recipe.recipe_version}, and this program reads {_VERSION}",
            place=Place(file=path),
            hint="upgrade tflite-sparse",
        )
    return recipe
