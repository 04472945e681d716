"""What options offer is what the library takes.

Commands have enums of their own, as the modules of the library's are slow to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import pytest

from tflite_sparse.cli.commands import bench, prune, sweep
from tflite_sparse.cli.options import StoredAs, Where
from tflite_sparse.cli.pruning.training import MaskWay
from tflite_sparse.cli.usage.emulation import emulation_asked, with_values
from tflite_sparse.errors import UsageError
from tflite_sparse.pruning.options import Allocation, Method
from tflite_sparse.runtime import benched
from tflite_sparse.runtime.data import images
from tflite_sparse.storage.values.options import StoredValues
from tflite_sparse.torch.training.options import MaskKind

if TYPE_CHECKING:
    from collections.abc import Iterable
    from enum import Enum


def values(offered: Iterable[Enum]) -> list[str]:
    return [str(member.value) for member in offered]


@pytest.mark.parametrize(
    ("offered", "taken"),
    [
        (StoredAs, values(StoredValues)),
        (prune.How, values(Method)),
        (prune.Spread, values(Allocation)),
        (prune.Order, list(images._LAYOUTS)),
        (MaskWay, list(get_args(MaskKind))),
    ],
    ids=["values", "method", "allocate", "layout", "masks"],
)
def test_options_offer_all_that_the_library_takes(offered: type[Enum], taken: list[str]) -> None:
    assert sorted(values(offered)) == sorted(taken)


@pytest.mark.parametrize(
    ("offered", "taken"),
    [
        (prune.By, values(Method)),
        (sweep.Spread, values(Allocation)),
        (bench.On, list(get_args(benched.Where))),
        (Where, list(get_args(benched.Where))),
    ],
    ids=["method", "allocate", "on", "bench"],
)
def test_options_offer_nothing_else(offered: type[Enum], taken: list[str]) -> None:
    assert set(values(offered)) < set(taken)


def test_a_mistyped_processor_is_no_model():
    assert with_values(["--emulate", "arm", "m.tflite"]) == ["--emulate", "arm", "m.tflite"]
    assert with_values(["--emulate", "arm.tflite"]) == ["--emulate", "x86-noavx", "arm.tflite"]
    with pytest.raises(UsageError, match="did you mean arm64"):
        emulation_asked("arm")
