"""What the architectures are written in: layers that keep activations at a sane scale."""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tests.support.architectures.padding import same
from tests.support.nets.builder import ModelBuilder, Value
from tests.support.nets.weights import without_smallest
from tests.support.nets.windows import pair

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["Net", "Padding", "Storage", "divisible"]

Padding = Literal["keras", "explicit", "torch"]
"""How layers with a stride are padded: as today's TFLite converter writes what Keras pads (SAME
wherever that says it), with a PAD in front as older ones did, or 1 (2 for 5x5) on all four sides
with a PAD, as converters from PyTorch do."""

Storage = Literal["dense", "sparse", "fp16", "fp16-sparse"]
"""Sparse applies to the filters with zeros; half precision to all weights."""

# The mean square of an activation of values around 0 with variance 1: as normally distributed ones
# have it, and more for those that grow with the spread of what they are applied to.
_SQUARE = {
    "NONE": 1.0,
    "RELU": 0.5,
    "RELU6": 0.5,
    "RELU_N1_TO_1": 0.52,
    "TANH": 0.39,
    "LOGISTIC": 0.29,
    "HARD_SWISH": 0.45,
    "swish": 0.45,
}
_PICTURE = 4  # channels of a picture, at most
_GATE = 0.28  # of a logistic gate, hard or soft
_SUM = 0.85  # what is left of the sum of two mean squares where what is negative is cut off
_AVERAGED = 1.0  # what averaging over a map leaves of a mean square, at most


def divisible(value: float, divisor: int = 8) -> int:
    """A number of channels as MobileNets round it: to a multiple, and never by more than 10 %."""
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


class Net:
    """A model under construction.

    Every value's mean square is kept track of, and every filter is scaled so that what it makes has
    variance 1: then no layer of a deep net rounds its outputs away.

    Args:
        name: what the model says of itself.
        batch: how many pictures at once.
        zeros: share of values, the least ones, that are zero in 1x1 and fully connected filters.
        wide: whether filters of wider convolutions have as many, but for those of pictures.
        storage: how weights are stored.
        padding: how layers with a stride are padded.
        channels_first: whether pictures come as [batch, channels, height, width] and are transposed
            first, as converters from PyTorch have it unless told otherwise.
        seed: makes the weights.
        beside: a net in whose model this one is a further subgraph.
    """

    def __init__(
        self,
        name: str,
        *,
        batch: int = 1,
        zeros: float = 0.8,
        wide: bool = False,
        storage: Storage = "dense",
        padding: Padding = "keras",
        channels_first: bool = False,
        seed: int = 0,
        beside: Net | None = None,
    ) -> None:
        self.model = beside.model if beside else ModelBuilder(seed=seed, description=name)
        self.g = self.model.graph(name if beside else "main")
        self.rng = self.model.rng
        self.batch = batch
        self.zeros = zeros
        self.wide = wide
        self.storage = storage
        self.half = storage.startswith("fp16")
        self.padding = padding
        self.channels_first = channels_first
        self._squares: dict[int, float] = {}
        self._shared: dict[float, Value] = {}
        self._inputs: dict[str, Value] = {}
        self._recorded: list[tuple[Value, Value]] | None = None
        self._replayed: Iterator[tuple[Value, Value]] | None = None

    # Inputs, outputs

    def image(
        self, size: Any, channels: int = 3, name: str = "image", square: float = 1 / 3
    ) -> Value:
        """An input of pictures.

        Args:
            size: height and width.
            channels: channels.
            name: its name, in the signature too.
            square: mean square of its values; a third where they are spread from -1 to 1.
        """
        sizes = pair(size)
        shape = (channels, *sizes) if self.channels_first else (*sizes, channels)
        x = self.g.input((self.batch, *shape), name=name)
        self._inputs[name] = x
        if self.channels_first:
            x = self.g.transpose(x, (0, 2, 3, 1))
        return self._made(x, square)

    def build(self, signature: str = "serving_default", **outputs: Value) -> bytes:
        """The model with these outputs, by their names in its signature."""
        self.finish(signature, **outputs)
        self.model.min_runtime_version("2.2.0" if "sparse" in self.storage else "1.14.0")
        return self.model.build()

    def finish(self, signature: str = "serving_default", **outputs: Value) -> None:
        """Gives the subgraph outputs and a signature."""
        self.g.output(*outputs.values())
        self.model.signature(signature, self.g, self._inputs, outputs)
        if self.half:
            self._dequantize_first()

    def _dequantize_first(self) -> None:
        """Puts what unpacks weights in front of all else, as the converter does."""
        codes = self.model.table.operatorCodes
        unpacking = {self.model.operator_code("DEQUANTIZE", 3)}
        unpacking |= {i for i, code in enumerate(codes) if code.builtinCode == _DENSIFY}
        self.g.table.operators.sort(key=lambda operator: operator.opcodeIndex not in unpacking)

    def _made(self, value: Value, square: float) -> Value:
        self._squares[value.index] = square
        return value

    # Layers with weights

    @contextlib.contextmanager
    def shared_weights(self) -> Iterator[Callable[[], None]]:
        """Within it, layers after a call of what it gives read the weights of those before."""
        self._recorded = []

        def again() -> None:
            assert self._recorded is not None
            self._replayed = iter(self._recorded)

        yield again
        self._recorded = self._replayed = None

    def conv(
        self,
        x: Value,
        channels: int,
        kernel: Any = 1,
        stride: int = 1,
        act: str = "NONE",
        pad: Any = None,
        dilation: int = 1,
        valid: bool = False,
        gain: float = 1.0,
        shift: float = 0.0,
    ) -> Value:
        """A convolution with a bias.

        Args:
            x: what it reads.
            channels: how many channels it makes.
            kernel: size of its filter; those of size 1 have zeros, others where the net is `wide`.
            stride: its stride.
            act: its activation, or "swish" or "HARD_SWISH", which are operators of their own.
            pad: (before, after) where Keras pads a layer with a stride by hand; (before, after) for
                height and for width where they differ.
            dilation: distance between the elements of a filter that are neighbours.
            valid: whether the padding of a 1x1 convolution says VALID.
            gain: the standard deviation that its output is to have.
            shift: a number that is in its bias.
        """
        kh, kw = pair(kernel)
        x, padding = self._padded(x, (kh, kw), stride, dilation, pad)
        sparse = (kh, kw) == (1, 1) or (self.wide and x.shape[3] > _PICTURE)
        shape = (channels, kh, kw, x.shape[3])
        filters, bias = self._weights(shape, x, gain, shift, sparse=sparse)
        fused, then = (act, "NONE") if act in _FUSED else ("NONE", act)
        made = self.g.conv2d(
            x,
            channels,
            (kh, kw),
            stride,
            "VALID" if valid else padding,
            fused,
            dilation,
            filters=filters,
            bias=bias,
        )
        return self.activate(self._made(made, _SQUARE[fused] * gain**2), then)

    def depthwise(
        self,
        x: Value,
        kernel: Any = 3,
        stride: int = 1,
        act: str = "NONE",
        pad: Any = None,
        dilation: int = 1,
    ) -> Value:
        """A depthwise convolution with a bias; the arguments are those of `conv`."""
        kh, kw = pair(kernel)
        x, padding = self._padded(x, (kh, kw), stride, dilation, pad)
        filters, bias = self._weights((1, kh, kw, x.shape[3]), x, axis=3)
        fused, then = (act, "NONE") if act in _FUSED else ("NONE", act)
        made = self.g.depthwise(
            x, (kh, kw), stride, padding, fused, dilation=dilation, filters=filters, bias=bias
        )
        return self.activate(self._made(made, _SQUARE[fused]), then)

    def dense(self, x: Value, units: int, act: str = "NONE", gain: float = 1.0) -> Value:
        """A fully connected layer with a bias."""
        filters, bias = self._weights((units, math.prod(x.shape[1:])), x, gain, sparse=True)
        made = self.g.fully_connected(x, units, act, filters=filters, bias=bias)
        return self._made(made, _SQUARE[act] * gain**2)

    def transposed(self, x: Value, channels: int, act: str = "NONE") -> Value:
        """A transposed 3x3 convolution with stride 2 and a bias."""
        filters, bias = self._weights((channels, 3, 3, x.shape[3]), x, gain=2.0)
        made = self.g.transpose_conv(x, channels, filters=filters, bias=bias, activation=act)
        return self._made(made, _SQUARE[act])

    def _weights(
        self,
        shape: tuple[int, ...],
        x: Value,
        gain: float = 1.0,
        shift: float = 0.0,
        *,
        axis: int = 0,
        sparse: bool = False,
    ) -> tuple[Value, Value]:
        """The filter and the bias of a layer: new ones, or those of a layer before."""
        if self._replayed is not None:
            return next(self._replayed)
        filters = self.rng.standard_normal(shape).astype(np.float32)
        filters = without_smallest(filters, self.zeros if sparse else 0)
        # On the average over all output channels, since some of a sparse filter may be empty.
        energy = float(np.square(filters).sum()) / shape[axis] * self._squares[x.index]
        filters = (filters * (gain / math.sqrt(max(energy, 1e-12)))).astype(np.float32)
        stored = self.g.constant(filters, storage=self.storage if sparse else self._plain)
        bias = self.rng.standard_normal(shape[axis]) * _BIAS + shift
        made = stored, self.weight(bias)
        if self._recorded is not None:
            self._recorded.append(made)
        return made

    @property
    def _plain(self) -> str:
        """The storage of weights without zeros."""
        return "fp16" if self.half else "dense"

    def weight(self, array: Any) -> Value:
        """A constant in the storage of weights."""
        return self.g.constant(np.asarray(array, np.float32), storage=self._plain)

    def number(self, value: float) -> Value:
        """A constant number; those that read the same one share it, as converters have it."""
        if value not in self._shared:
            self._shared[value] = self.weight(value)
        return self._shared[value]

    # Padding

    def _padded(
        self, x: Value, kernel: tuple[int, int], stride: int, dilation: int, pad: Any
    ) -> tuple[Value, str]:
        """The value with a PAD behind it where one is needed, and the padding to state."""
        if stride == 1 and pad is None:
            return x, "SAME"
        around = [pad, pad] if pad is not None and isinstance(pad[0], int) else pad
        by_same = [
            same(size, k, stride, dilation) for size, k in zip(x.shape[1:3], kernel, strict=True)
        ]
        if self.padding == "torch" and stride > 1:
            around = [(k // 2 * dilation,) * 2 for k in kernel]
        elif around is None or (self.padding == "keras" and [tuple(p) for p in around] == by_same):
            return x, "SAME"
        if any(amount for both in around for amount in both):
            paddings = ((0, 0), *around, (0, 0))
            x = self._made(self.g.pad(x, paddings), self._squares[x.index])
        return x, "VALID"

    # Without weights

    def activate(self, x: Value, act: str) -> Value:
        """An activation as an operator of its own; "swish" is LOGISTIC and MUL."""
        if act == "NONE":
            return x
        square = self._squares[x.index]
        made = self.g.mul(x, self.g.logistic(x)) if act == "swish" else self.g.unary(act, x)
        return self._made(made, _SQUARE[act] * (square if act not in _BOUNDED else 1))

    def add(self, a: Value, b: Value, act: str = "NONE") -> Value:
        """The sum of two values."""
        square = self._squares[a.index] + self._squares[b.index]
        return self._made(self.g.add(a, b, act), square if act == "NONE" else square * _SUM)

    def gated(self, x: Value, gate: Value) -> Value:
        """A value times a gate between 0 and 1."""
        return self._made(self.g.mul(x, gate), self._squares[x.index] * _GATE)

    def kept(self, x: Value, made: Value, factor: float = 1.0) -> Value:
        """Another value with the mean square of one, times a factor."""
        return self._made(made, self._squares[x.index] * factor)

    def mean(self, x: Value, keep_dims: bool = False) -> Value:
        """The mean of each channel."""
        return self.kept(x, self.g.mean(x, keep_dims=keep_dims), _AVERAGED)

    def concat(self, values: Sequence[Value], axis: int = -1) -> Value:
        """Values behind each other, on channels as converters say it: the last axis."""
        return self.kept(values[0], self.g.concat(values, axis))

    def reshape(self, x: Value, shape: Sequence[int]) -> Value:
        """The same values in another shape."""
        return self.kept(x, self.g.reshape(x, shape))

    def resize(self, x: Value, size: Any, **modes: bool) -> Value:
        """A map at another size, bilinearly."""
        return self.kept(x, self.g.resize_bilinear(x, size, **modes))

    def hard_gate(self, x: Value) -> Value:
        """What Keras calls hard sigmoid, as the converter writes it after a RELU6 at x + 3."""
        return self._made(self.g.mul(x, self.number(1 / 6)), _GATE)

    def softmax_of(self, logits: Value, name: str = "probabilities") -> bytes:
        """The finished model of a classifier."""
        return self.build(**{name: self.g.softmax(logits)})


_BIAS = 0.2  # its standard deviation
_FUSED = ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")
_BOUNDED = ("TANH", "LOGISTIC")
_DENSIFY = 124
