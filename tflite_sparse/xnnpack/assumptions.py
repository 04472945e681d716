"""What-if: a plan as though weights were stored otherwise or had other zeros."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

__all__ = ["NO_ASSUMPTIONS", "WhatIf"]


class WhatIf(msgspec.Struct, frozen=True):
    """Assumptions about the constants of a subgraph; tensors are given by index.

    A constant is named by the tensor that the file stores, not by the output of a DENSIFY or
    DEQUANTIZE behind it.

    Attributes:
        encoded: constants as though stored sparse, with a DENSIFY behind each.
        dense: constants as though stored dense, with no DENSIFY behind them.
        zeros: the number of zeros of a constant, or a mask of its shape that is true where a weight
            is zero; a mask also decides the kernel, a number leaves it at single channels.
    """

    encoded: frozenset[int] = frozenset()
    dense: frozenset[int] = frozenset()
    zeros: Mapping[int, int | NDArray[np.bool_]] = msgspec.field(default_factory=dict)


NO_ASSUMPTIONS = WhatIf()
"""The model as it is."""
