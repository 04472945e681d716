"""A small net around one operator, and what adapting makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support.nets.builder import GraphBuilder, ModelBuilder, Value
from tests.support.outputs import outputs
from tflite_sparse.model import Model
from tflite_sparse.rewrite.adapt.options import AdaptOptions
from tflite_sparse.rewrite.adapt.planner import adapt

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from tflite_sparse.rewrite.changes import Rewrite

__all__ = ["Adapted", "adapted", "entered", "headed", "net"]

CHANNELS = 32


@dataclass(frozen=True)
class Adapted:
    """A model and what adapting made of it.

    Attributes:
        before: the model as it was.
        after: the model as it is now, with dense weights.
        rewrite: what was done.
    """

    before: bytes
    after: bytes
    rewrite: Rewrite

    @property
    def done(self) -> bool:
        return self.rewrite.adaptation.done

    @property
    def passes(self) -> list[str]:
        return [step.name for step in self.rewrite.adaptation.steps]

    @property
    def kinds(self) -> list[str]:
        """The kinds of the operators, in order."""
        return [op.name for op in Model.read(self.after).operators()]

    @property
    def blocked(self) -> dict[str, str]:
        return {entry.operator: entry.reason for entry in self.rewrite.adaptation.blocked}

    def on_reference(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """The outputs of both on LiteRT's reference kernels."""
        before, after = outputs(self.before, self.after, delegate=False)
        return before, after


def entered(g: GraphBuilder, size: tuple[int, int] = (16, 16), channels: int = CHANNELS) -> Value:
    """An image, an entry as the runtime takes it, and a 1x1 convolution of zeros for the most."""
    x = g.conv2d(g.pad_spatial(g.input((1, *size, 3))), channels, 3, 2, "VALID", name="stem")
    return g.conv2d(x, channels, zeros=0.9, name="first")


def headed(g: GraphBuilder, x: Value) -> Value:
    """A 1x1 convolution, and an end that the runtime takes as it is."""
    return g.fully_connected(g.mean(g.conv2d(x, CHANNELS, zeros=0.9, name="last")), 4)


def net(middle: Callable[[GraphBuilder, Value], Value], size: tuple[int, int] = (16, 16)) -> bytes:
    """An entry, what `middle` puts behind it, and an end."""
    model = ModelBuilder()
    g = model.graph()
    g.output(headed(g, middle(g, entered(g, size))))
    return model.build()


def adapted(data: bytes, **options: object) -> Adapted:
    """What adapting makes of a model, wherever more of it runs sparse."""
    rewrite = adapt(Model.read(data), AdaptOptions(**{"min_gain": 0, **options}))
    return Adapted(data, rewrite.model.to_bytes(), rewrite)
