"""For each rule of lint a model that it finds fault with, and one that differs in one thing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tests.support.lint.models import (
    activated,
    aligned,
    between,
    copies,
    custom,
    densify_of,
    direct_convolution,
    direct_filter,
    edited,
    encoded,
    forged,
    gathered,
    good,
    grouped,
    in_blocks,
    infinite_value,
    int8_map,
    leftovers,
    near,
    pruned,
    quantized_head,
    set_index,
    shorten,
    spectrogram,
    valued,
    versioned,
    wide,
    widen,
    zero_value,
)
from tests.support.nets.appended_data import with_byte_code
from tests.support.nets.small_nets import build, head, pointwise, trunk
from tests.support.open_sizes import opened

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CASES", "Case"]


class Case(NamedTuple):
    """A rule's test.

    Attributes:
        trigger: makes the model that breaks the rule.
        near_miss: makes the same model but for one thing, which does not.
        place: what the place of the finding says, "" for the model as a whole.
        config: settings that both need.
    """

    trigger: Callable[[], bytes]
    near_miss: Callable[[], bytes]
    place: str = ""
    config: dict[str, Any] = {}  # noqa: RUF012 - never changed


def budget(**limits: float) -> dict[str, Any]:
    return {"budgets": {name.replace("_", "-"): limit for name, limit in limits.items()}}


CASES: dict[str, Case] = {
    "TFS101": Case(
        lambda: edited(good(), set_index(200)),
        good,
        "pointwise/filter",
    ),
    "TFS102": Case(lambda: edited(good("dense"), shorten), lambda: good("dense"), "second/filter"),
    "TFS103": Case(lambda: edited(good(), zero_value), good, "pointwise/filter"),
    "TFS104": Case(lambda: edited(good(), widen), good, "pointwise/filter"),
    "TFS105": Case(lambda: densify_of("dense"), lambda: densify_of("sparse-direct"), "DENSIFY #0"),
    "TFS106": Case(lambda: forged(slot_40=(4, 1)), forged),
    "TFS107": Case(
        lambda: direct_convolution("sparse-direct"), lambda: direct_convolution("sparse"), "CONV_2D"
    ),
    "TFS108": Case(lambda: edited(good(), infinite_value), good, "pointwise/filter"),
    "TFS109": Case(
        lambda: with_byte_code(good(), [b"code"])[:-1], lambda: with_byte_code(good(), [b"code"])
    ),
    "TFS201": Case(
        lambda: between(lambda g, x: g.pool(x)),
        lambda: between(lambda g, x: g.depthwise(x)),
        "pointwise",
    ),
    "TFS202": Case(
        lambda: build(lambda g: pointwise(g, g.mean(trunk(g), keep_dims=True), 8)),
        lambda: build(lambda g: g.fully_connected(g.mean(trunk(g), keep_dims=True), 8)),
        "CONV_2D",
    ),
    "TFS203": Case(
        lambda: build(lambda g: g.mean(trunk(g, (40, 60)), axes=(1,))),
        lambda: build(lambda g: g.mean(trunk(g, (40, 60)), axes=(1, 2))),
        "MEAN",
    ),
    "TFS204": Case(
        lambda: build(lambda g: g.mean(trunk(g), axes=(0, 1, 2, 3))),
        lambda: build(lambda g: g.mean(trunk(g), axes=(1, 2))),
        "MEAN",
    ),
    "TFS205": Case(lambda: direct_filter(12), lambda: direct_filter(8), "FULLY_CONNECTED"),
    "TFS206": Case(
        lambda: build(
            lambda g: g.fully_connected(g.input((1, 64)), 8, storage="int8-sparse", zeros=0.8)
        ),
        lambda: build(lambda g: g.fully_connected(g.input((1, 64)), 8, storage="int8", zeros=0.8)),
        "FULLY_CONNECTED",
    ),
    "TFS207": Case(
        lambda: activated("TANH"),
        lambda: activated("RELU"),
        "DEQUANTIZE",
    ),
    "TFS209": Case(lambda: quantized_head(4096), lambda: quantized_head(16)),
    "TFS210": Case(
        lambda: custom("NobodyHasThisOperator"),
        spectrogram,
        "NobodyHasThisOperator #0",
    ),
    "TFS211": Case(lambda: grouped(4), lambda: grouped(1), "TRANSPOSE_CONV #0"),
    "TFS212": Case(
        lambda: build(lambda g: g.mean(trunk(g), keep_dims=True)),
        lambda: build(lambda g: g.reshape(g.mean(trunk(g), keep_dims=True), (1, 16))),
        "MEAN",
    ),
    "TFS213": Case(
        lambda: between(lambda g, x: g.maximum(x, np.array(0.5, np.float32))),
        lambda: between(lambda g, x: g.unary("RELU", x)),
    ),
    "TFS214": Case(
        lambda: build(lambda g: g.depthwise(g.input((1, 8, 8, 8)), bias=None)),
        lambda: build(lambda g: g.depthwise(g.input((1, 8, 8, 8)))),
        "DEPTHWISE_CONV_2D #0",
    ),
    "TFS220": Case(
        lambda: pruned(end=lambda g, x: g.softmax(g.mean(x, keep_dims=True))),
        lambda: pruned(end=lambda g, x: g.softmax(g.mean(x))),
    ),
    "TFS301": Case(lambda: pruned("SAME"), pruned, "CONV_2D #0 stem"),
    "TFS302": Case(
        lambda: pruned(middle=lambda g, x: g.depthwise(x, stride=2, name="halve")),
        lambda: pruned(
            middle=lambda g, x: g.depthwise(
                g.pad_spatial(x), stride=2, padding="VALID", name="halve"
            )
        ),
        "halve",
    ),
    "TFS303": Case(
        lambda: pruned(middle=lambda g, x: g.pool(x)),
        lambda: pruned(middle=lambda g, x: g.unary("ABS", x)),
        "MAX_POOL_2D",
    ),
    "TFS304": Case(
        lambda: pruned(middle=lambda g, x: g.add(x, np.ones((1, 1, 1, 32), np.float32))),
        lambda: pruned(middle=lambda g, x: g.add(np.ones((1, 1, 1, 32), np.float32), x)),
        "ADD",
    ),
    "TFS305": Case(
        lambda: pruned(
            end=lambda g, x: (g.output(x), head(g, x))[1],
        ),
        pruned,
    ),
    "TFS306": Case(
        lambda: pruned(end=lambda g, x: g.pool(x, "AVERAGE_POOL_2D", kernel=20, stride=1)),
        lambda: pruned(end=lambda g, x: g.mean(x)),
    ),
    "TFS307": Case(lambda: pruned("none"), pruned),
    "TFS308": Case(lambda: pruned(zeros=0.6), pruned, "CONV_2D"),
    "TFS309": Case(
        pruned,
        lambda: good("sparse"),
    ),
    "TFS310": Case(lambda: int8_map("int8"), lambda: int8_map("dense")),
    "TFS311": Case(
        lambda: pruned(middle=lambda g, x: g.op("FLOOR_MOD", [x, x], [(x.shape, "FLOAT32")])[0]),
        lambda: pruned(middle=lambda g, x: g.unary("FLOOR", x)),
        "FLOOR_MOD",
    ),
    "TFS312": Case(pruned, lambda: pruned(zeros=0.1), config={"targets": ("x86-avx",)}),
    "TFS313": Case(lambda: good("sparse", zeros=0.6), lambda: good("sparse")),
    "TFS314": Case(lambda: in_blocks(4), lambda: in_blocks(1), "pointwise"),
    "TFS401": Case(lambda: good("dense"), lambda: good("sparse")),
    "TFS402": Case(lambda: encoded(0.05, "sparse"), lambda: encoded(0.6, "sparse"), "layer/filter"),
    "TFS403": Case(lambda: encoded(0.2, "sparse"), lambda: encoded(0.8, "sparse")),
    "TFS404": Case(lambda: near(1e-20), lambda: near(0.0), "layer/filter"),
    "TFS405": Case(lambda: copies(different=False), lambda: copies(different=True), "one/filter"),
    "TFS406": Case(lambda: leftovers("buffer"), lambda: leftovers("none")),
    "TFS407": Case(lambda: leftovers("tensor"), lambda: leftovers("none"), "unused"),
    "TFS408": Case(lambda: leftovers("operator"), lambda: leftovers("none"), "unread"),
    "TFS409": Case(lambda: wide(64, 2048), lambda: wide(64, 200)),
    "TFS410": Case(lambda: valued("sparse"), lambda: valued("int8-values-sparse")),
    "TFS501": Case(lambda: encoded(0.8, "sparse"), lambda: encoded(0.8, "dense")),
    "TFS502": Case(lambda: versioned("1.14.0"), lambda: versioned("2.2.0")),
    "TFS503": Case(lambda: good("dense"), lambda: aligned(good("dense"))),
    "TFS504": Case(lambda: gathered("gather"), lambda: gathered("dense"), "DENSIFY"),
    "TFS505": Case(lambda: opened(good(), (0,)), good, "input"),
    "TFS506": Case(lambda: opened(good()), lambda: opened(good(), (0,))),
    "TFS507": Case(lambda: good("int8-values-sparse"), lambda: good("int8-value-sparse")),
    "TFS508": Case(
        lambda: build(lambda g: g.add(g.input((1, 4)), g.input((1, 4)))),
        lambda: build(lambda g: g.add(g.input((1, 4)), g.input((1, 4), name="other"))),
        "input",
    ),
    "TFS601": Case(lambda: good("dense"), good, config=budget(max_size=20_000)),
    "TFS602": Case(
        lambda: good("dense", 0.1), lambda: good("dense", 0.9), config=budget(max_gzip_size=20_000)
    ),
    "TFS603": Case(
        lambda: good(zeros=0.7),
        lambda: good(zeros=0.9),
        config=budget(min_pointwise_zeros=0.8),
    ),
    "TFS604": Case(
        lambda: pruned("SAME"), lambda: good("sparse"), config=budget(min_sparse_macs=0.3)
    ),
}
"""By the code of the rule; TFS605 needs two files and has tests of its own."""
