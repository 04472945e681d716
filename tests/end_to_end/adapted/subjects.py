"""The models of the table: real ones with zeros put in, and architectures built for the tests."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tests.support.architectures import ARCHITECTURES, OUT_OF_REACH, build
from tests.support.architectures.pictures import picture
from tests.support.nets.weights import without_smallest
from tests.support.peers.npm import POSE, npm_file
from tests.support.real_models import all_real_models, real_model
from tflite_sparse.model import Model
from tflite_sparse.rewrite.storage.densify import densify
from tflite_sparse.runtime.inputs import input_specs, random_inputs

if TYPE_CHECKING:
    from collections.abc import Callable

    from tflite_sparse.model import Operator, Tensor
    from tflite_sparse.runtime.observations import Outputs

__all__ = ["SUBJECTS", "ZEROS", "Subject", "masked"]

ZEROS = 0.8
"""Share of zeros in the 1x1 and fully connected filters."""

_FILTERS = ("CONV_2D", "FULLY_CONNECTED")
_PICTURE_RANK = 4


@dataclass(frozen=True)
class Subject:
    """A model of the table.

    Attributes:
        name: its name.
        source: where it comes from.
        dense: makes its dense twin: the weights with their zeros, stored dense.
        low: the least value of its inputs.
        high: the largest.
    """

    name: str
    source: str
    dense: Callable[[], bytes]
    low: float = 0.0
    high: float = 1.0

    def feeds(self, trials: int = 1) -> tuple[Outputs, ...]:
        """Inputs by their position: pictures, and random values for what is none."""
        specs = input_specs(Model.read(self.dense()))
        feeds = random_inputs(specs, trials)
        for number, feed in enumerate(feeds):
            for place, spec in enumerate(specs):
                if len(spec.shape) == _PICTURE_RANK and spec.type == "FLOAT32":
                    seed = 100 * number + place
                    feed[spec.key] = picture(spec.shape, seed, self.low, self.high)
        return feeds


def masked(data: bytes, zeros: float = ZEROS) -> bytes:
    """A dense model whose 1x1 and fully connected filters have zeros, those of least magnitude.

    A filter that has more zeros already keeps them.

    Args:
        data: the model; filters that are stored sparse become dense.
        zeros: share of zeros in each filter.
    """
    model = Model.read(data)
    densify(model)
    for operator in model.operators():
        tensor = _filter(operator)
        if tensor is not None and tensor.data is not None:
            values = without_smallest(np.asarray(tensor.data), zeros)
            tensor.buffer.data = values
    return model.to_bytes()


def _filter(operator: Operator) -> Tensor | None:
    """The stored filter of a 1x1 convolution or a fully connected layer."""
    if operator.name not in _FILTERS or operator.inputs[1] is None:
        return None
    tensor = operator.inputs[1]
    if operator.name == "CONV_2D" and tensor.shape[1:3] != (1, 1):
        return None
    producer = operator.subgraph.producer(tensor)
    if producer is not None and producer.name == "DEQUANTIZE":
        tensor = producer.inputs[0]
    return tensor if tensor is not None and tensor.is_constant and "FLOAT" in tensor.type else None


def _real(name: str, read: Callable[[], bytes]) -> Subject:
    @functools.cache
    def dense() -> bytes:
        data = read()
        # Google's own sparse models keep the zeros that they were trained with.
        stored_sparse = any(op.name == "DENSIFY" for op in Model.read(data).operators())
        return masked(data, 0.0 if stored_sparse else ZEROS)

    return Subject(name, "real", dense)


def _wheel_model(name: str) -> bytes:
    return real_model(name).read_bytes()


def _npm_model(name: str) -> bytes:
    return npm_file(POSE, f"{name}.tflite")


_POSES = ("pose_landmark_lite", "pose_landmark_heavy")


def _built(name: str) -> Subject:
    architecture = ARCHITECTURES.get(name) or OUT_OF_REACH[name]
    dense = functools.cache(functools.partial(build, name))
    return Subject(name, "built", dense, architecture.low, architecture.high)


SUBJECTS: dict[str, Subject] = {
    **{name: _real(name, functools.partial(_wheel_model, name)) for name in all_real_models()},
    **{name: _real(name, functools.partial(_npm_model, name)) for name in _POSES},
    **{name: _built(name) for name in ARCHITECTURES},
    "densenet": _built("densenet"),
}
"""All of them, by name."""
