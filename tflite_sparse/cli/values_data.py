"""What users ask about the numbers in which weights are stored, and the inputs they give for it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from tflite_sparse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tflite_sparse.cli.options import StoredAs
    from tflite_sparse.model import Model, Operator
    from tflite_sparse.runtime.activations.calibrate import Split
    from tflite_sparse.runtime.data.images import ImageOptions
    from tflite_sparse.storage.moments.moments import Moments
    from tflite_sparse.storage.values.calibration import Calibration
    from tflite_sparse.storage.values.options import ValuesOptions

__all__ = ["Data", "check_agreement", "data_for", "values_options"]


class Data:
    """A folder with inputs, which is read when something runs.

    Args:
        folder: its path.
        model: path of the model that they are for.
        input_shapes: shapes that were asked for, by the name of the input.
        batch: the first dimension that was asked for.
        images: how images become inputs.
        fits: whether weights are fitted to some of them; otherwise they only judge.
    """

    def __init__(
        self,
        folder: str,
        model: str,
        input_shapes: Mapping[str, Sequence[int]],
        batch: int | None,
        images: ImageOptions | None = None,
        *,
        fits: bool,
    ) -> None:
        self.folder = folder
        self.fits = fits
        self._model = model
        self._input_shapes = input_shapes
        self._batch = batch
        self._images = images

    @cached_property
    def split(self) -> Split:
        """The inputs; those that nothing is fitted to judge.

        Raises:
            FileError: there are none, or one cannot be read.
            UsageError: an array does not fit the inputs of the model.
        """
        from tflite_sparse.model import Model
        from tflite_sparse.runtime.activations.calibrate import Split
        from tflite_sparse.runtime.data.given import given_inputs

        inputs = given_inputs(
            self.folder,
            Model.read(self._model),
            self._images,
            batch=self._batch,
            input_shapes=self._input_shapes,
        )
        return Split.of(inputs) if self.fits else Split((), inputs)

    @property
    def calibration(self) -> Calibration | None:
        """What runs a model on those that weights are fitted to; None where none are."""
        return self._measured if self.fits else None

    def _measured(self, model: Model) -> Mapping[Operator, Moments]:
        from tflite_sparse.runtime.activations.calibrate import calibrated

        return calibrated(self.split.fitted)(model)


def data_for(
    model: str,
    folder: str | None,
    numbers: ValuesOptions | None,
    input_shapes: Mapping[str, Sequence[int]],
    batch: int | None,
    images: ImageOptions | None = None,
) -> Data | None:
    """The inputs that a user gives; None for random ones.

    Args:
        model: path of the model that they are for.
        folder: what the user says.
        numbers: in which weights are stored; scales that could be fitted are those of int8.
        input_shapes: shapes that were asked for, by the name of the input.
        batch: the first dimension that was asked for.
        images: how images become inputs; None for as the metadata of the model say.
    """
    from tflite_sparse.storage.values.options import StoredValues

    if folder is None:
        return None
    fits = numbers is not None and numbers.values is StoredValues.INT8
    return Data(folder, model, input_shapes, batch, images, fits=fits)


def check_agreement(least: float, numbers: ValuesOptions | None, data: str | None) -> None:
    """Makes sure that there is something of which the classes can be compared.

    Args:
        least: the share that the user asks for; 0 for none.
        numbers: in which weights are stored.
        data: the inputs that the user gives.

    Raises:
        UsageError: nothing is rounded, or there are no inputs of the user's.
    """
    if least and (numbers is None or data is None):
        raise UsageError(
            "--min-agreement is for weights that --values or --prune changes, on inputs of --data",
            hint="add --values int8 --data FOLDER",
        )


def values_options(
    values: StoredAs,
    data: str | None,
    *,
    keep_nonzero: bool,
    min_snr: float,
    prunes: bool = False,
) -> ValuesOptions | None:
    """In which numbers to store weights; None where they keep those that they have.

    Args:
        values: the numbers.
        data: the inputs that the user gives.
        keep_nonzero: see the options of the command.
        min_snr: likewise.
        prunes: whether inputs are for pruning too.

    Raises:
        UsageError: an option goes with others that are not there.
    """
    from tflite_sparse.storage.values.options import StoredValues, ValuesOptions

    numbers = StoredValues(values.value)
    if numbers is StoredValues.FP32:
        asked = {
            "--keep-nonzero": keep_nonzero,
            "--min-snr": min_snr > 0,
            "--data": data is not None and not prunes,
        }
        for option, given in asked.items():
            if given:
                raise UsageError(
                    f"{option} is for weights that --values stores in other numbers",
                    hint="add --values int8 or --values fp16",
                )
        return None
    return ValuesOptions(numbers, keep_nonzero, min_snr)
