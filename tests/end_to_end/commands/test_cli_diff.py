"""`tflite-sparse diff` end to end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.support.command import call
from tests.support.nets.small_nets import build

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.nets.builder import GraphBuilder, Value
    from tests.support.nets.small_nets import Net

DATA = Path(__file__).parents[3] / "testdata"
DENSE, SPARSE = DATA / "mobilenet_tiny_80.tflite", DATA / "mobilenet_tiny_80_sparse.tflite"


def net(graph: GraphBuilder, filters: np.ndarray, storage: str = "dense", **options: Any) -> Value:
    x = graph.conv2d(graph.input((1, 8, 8, 16)), 16, filters=filters, storage=storage, **options)
    return graph.unary("RELU", x)


def filters(**changes: float) -> np.ndarray:
    values = np.random.default_rng(5).standard_normal((16, 1, 1, 16)).astype(np.float32)
    values[values < 0.5] = 0
    values.reshape(-1)[3] = changes.get("third", values.reshape(-1)[3])
    return values


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    def write(name: str, net: Net, **metadata: bytes) -> Path:
        path = tmp_path / f"{name}.tflite"
        path.write_bytes(build(net, metadata=metadata))
        return path

    return write


def told(a: Path, b: Path) -> dict[str, Any]:
    done = call("diff", a, b, "--json")
    document = done.document("diff")
    assert done.code == (0 if document["equal"] else 1)
    return document


def test_a_model_is_equal_to_itself() -> None:
    document = told(DENSE, DENSE)
    assert document["equal"]
    assert document["weights"] == []
    done = call("diff", DENSE, DENSE)
    assert done.code == 0
    assert "equal in meaning" in done.out


def test_storage_has_no_part_in_the_meaning() -> None:
    document = told(DENSE, SPARSE)
    assert document["equal"]
    assert document["weights"]
    assert all(weight["equal"] for weight in document["weights"])
    assert {weight["after"]["storage"] for weight in document["weights"]} != {"dense"}
    assert [kind["name"] for kind in document["operators"]] == ["DENSIFY"]


def test_minus_zero_is_zero(save: Callable[..., Path]) -> None:
    a = save("a", lambda g: net(g, filters(third=0.0)))
    b = save("b", lambda g: net(g, filters(third=-0.0)))
    document = told(a, b)
    assert a.read_bytes() != b.read_bytes()
    assert document["equal"]


def test_one_value_that_differs_is_found_with_its_size(save: Callable[..., Path]) -> None:
    a = save("a", lambda g: net(g, filters(third=1.0)))
    b = save("b", lambda g: net(g, filters(third=1.25), storage="sparse"))
    document = told(a, b)
    assert not document["equal"]
    (weight,) = (w for w in document["weights"] if not w["equal"])
    assert (weight["differing"], weight["largest"]) == (1, 0.25)
    out = call("diff", a, b).out
    assert "different" in out
    assert "0.25" in out


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda g: net(g, filters(), stride=2), "other options"),
        (lambda g: net(g, filters(), activation="RELU6"), "other options"),
        (lambda g: g.unary("ABS", net(g, filters())), "is new"),
        (lambda g: g.conv2d(g.input((1, 8, 8, 16)), 16, filters=filters()), "is gone"),
        (lambda g: net(g, filters(), bias=False), "number of inputs"),
    ],
)
def test_differences_of_the_graph_are_named(
    save: Callable[..., Path], change: Callable[[GraphBuilder], Value], words: str
) -> None:
    document = told(save("a", lambda g: net(g, filters())), save("b", change))
    assert not document["equal"]
    assert any(words in text for text in document["graph"])


def test_wiring_counts(save: Callable[..., Path]) -> None:
    def straight(g: GraphBuilder) -> Value:
        x, y = g.input((1, 4)), g.input((1, 4))
        return g.sub(x, y)

    def crossed(g: GraphBuilder) -> Value:
        x, y = g.input((1, 4)), g.input((1, 4))
        return g.sub(y, x)

    document = told(save("a", straight), save("b", crossed))
    assert not document["equal"]
    assert any("another value" in text for text in document["graph"])


def test_values_that_nothing_makes_are_told_apart_by_who_reads_them(
    save: Callable[..., Path],
) -> None:
    def damaged(first: int, second: int) -> Callable[[GraphBuilder], Value]:
        def with_filters(g: GraphBuilder) -> Value:
            nothing = [g.tensor((1, 4), name=name) for name in ("p", "q")]
            return g.sub(nothing[first], nothing[second])

        return with_filters

    model = save("a", damaged(0, 1))
    assert told(model, save("b", damaged(0, 1)))["equal"]
    assert not told(model, save("c", damaged(0, 0)))["equal"]
    assert not told(model, save("d", lambda g: g.sub(*(g.input((1, 4)) for _ in "pq"))))["equal"]


def test_metadata_count_but_for_the_runtime_version(save: Callable[..., Path]) -> None:
    plain = save("a", lambda g: net(g, filters()))
    versioned = save(
        "b", lambda g: net(g, filters()), min_runtime_version=b"2.2.0".ljust(16, b"\0")
    )
    labelled = save("c", lambda g: net(g, filters()), labels=b"cat")
    assert told(plain, versioned)["equal"]
    assert told(plain, versioned)["metadata"]
    assert not told(plain, labelled)["equal"]


def test_a_file_that_is_no_model_is_an_error(tmp_path: Path) -> None:
    other = tmp_path / "other.tflite"
    other.write_bytes(b"no model at all, whatever its name")
    done = call("diff", DENSE, other)
    assert done.code == 2
    assert len(done.err.splitlines()) == 1
