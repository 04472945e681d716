"""Data classes of the package are those of the standard library, made faster."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tflite_sparse._dataclass import dataclass as ours

KINDS = [
    {"frozen": frozen, "slots": slots, "eq": eq}
    for frozen in (False, True)
    for slots in (False, True)
    for eq in (False, True)
]


def pair(options: dict[str, bool]) -> tuple[Any, Any]:
    """The same class made by both."""

    def declare() -> type:
        class Sample:
            """A sample."""

            number: int
            words: tuple[str, ...] = ("a", "b")
            made: list[int] = dataclasses.field(default_factory=list)
            hidden: str = dataclasses.field(default="h", repr=False)
            aside: float = dataclasses.field(default=0.0, compare=False)

        return Sample

    return dataclasses.dataclass(**options)(declare()), ours(**options)(declare())


@pytest.mark.parametrize("options", KINDS, ids=str)
@given(
    numbers=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    aside=st.floats(0, 1),
    n=st.integers(1, 5),
)
def test_objects_are_equal_shown_hashed_and_copied_as_in_the_standard_library(
    options: dict[str, bool], numbers: tuple[int, int], aside: float, n: int
) -> None:
    known, made = pair(options)
    arguments = (numbers[0], ("x",), [1], "y", aside)[:n]
    one, same, other = (cls(*arguments) for cls in (known, made, made))
    assert repr(one) == repr(same)
    assert (same == other) == (one == known(*arguments))
    assert (same == made(numbers[1])) == (one == known(numbers[1]))
    assert same != one
    assert dataclasses.asdict(same) == dataclasses.asdict(one)
    assert dataclasses.astuple(copy.copy(same)) == dataclasses.astuple(one)
    changed = [dataclasses.replace(x, number=7) for x in (one, same)]
    assert repr(changed[0]) == repr(changed[1])
    for x in (one, same):
        if options["frozen"] and options["eq"]:
            with pytest.raises(TypeError, match="unhashable type: 'list'"):
                hash(x)
    assert made.__match_args__ == known.__match_args__
    assert (made.__hash__ is None) == (known.__hash__ is None)


@pytest.mark.parametrize("options", KINDS, ids=str)
def test_classes_have_the_signature_and_the_refusals_of_the_standard_library(
    options: dict[str, bool],
) -> None:
    known, made = pair(options)
    parameters = [inspect.signature(cls).parameters for cls in (known, made)]
    assert list(parameters[0]) == list(parameters[1])
    for cls in (known, made):
        with pytest.raises(TypeError, match=r"missing 1 required positional argument: 'number'"):
            cls()
        with pytest.raises(TypeError, match="unexpected keyword argument 'nothing'"):
            cls(1, nothing=2)
        first, second = cls(1), cls(2)
        assert first.made == []
        assert first.made is not second.made
        if options["frozen"]:
            with pytest.raises(
                dataclasses.FrozenInstanceError, match="cannot assign to field 'number'"
            ):
                first.number = 3
            with pytest.raises(
                dataclasses.FrozenInstanceError, match="cannot delete field 'number'"
            ):
                del first.number
            assert first.number == 1
        else:
            first.number = 3
            assert first.number == 3
        assert hasattr(first, "__dict__") != options["slots"]


@ours(frozen=True, slots=True)
class Point:
    """A point, which can be pickled."""

    x: int
    y: int = 2

    def __post_init__(self) -> None:
        if self.x < 0:
            raise ValueError("no such point")


def test_frozen_objects_with_slots_go_through_a_pickle() -> None:
    point = Point(5)
    assert pickle.loads(pickle.dumps(point)) == point  # noqa: S301
    assert {point: 1}[Point(5, 2)] == 1
    assert copy.deepcopy(point) == point


def test_what_follows_the_fields_is_run() -> None:
    with pytest.raises(ValueError, match="no such point"):
        Point(-1)


@pytest.mark.parametrize("extra", [{"init": False}, {"kw_only": True}])
def test_what_only_the_standard_library_has_is_refused(extra: dict[str, bool]) -> None:
    class Sample:
        field: int = dataclasses.field(default=0, **extra)

    with pytest.raises(TypeError, match="only the standard library knows"):
        ours(Sample)


def test_an_object_that_holds_itself_is_shown() -> None:
    @ours(slots=True)
    class Holder:
        held: Any = None

    holder = Holder()
    holder.held = [holder]
    assert "..." in repr(holder)
