"""A model as each kind of processor sees it, by positions in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.nets.small_nets import build
from tflite_sparse.inspection.dispositions import DispositionKind
from tflite_sparse.inspection.survey import survey
from tflite_sparse.model import Model
from tflite_sparse.report.html.subject import PageModel, Seen
from tflite_sparse.xnnpack.releases.targets import target

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.nets.builder import GraphBuilder, Value


def seen(*makes: Callable[[GraphBuilder], Value]) -> tuple[PageModel, Seen]:
    found = survey(Model.read(build(*makes)), gzip=False, targets=[target("arm64")])
    model = PageModel("m", found)
    (only,) = model.seen
    return model, only


def sparse(g: GraphBuilder) -> Value:
    x = g.conv2d(g.pad_spatial(g.input((1, 33, 33, 3))), 8, 3, 2, "VALID")
    x = g.conv2d(x, 16, zeros=0.9, storage="sparse")
    x = g.depthwise(g.pad_spatial(x), stride=2, padding="VALID")
    return g.mean(g.conv2d(x, 16, zeros=0.9))


def blocked(g: GraphBuilder) -> Value:
    x = g.conv2d(g.input((1, 32, 32, 3)), 8, kernel=3, stride=2, padding="SAME")
    return g.mean(g.conv2d(x, 8, zeros=0.5))


def test_what_vanishes_between_members_of_a_cluster_lies_in_it() -> None:
    model, view = seen(sparse)
    names = [op.name for op in model.operators]
    assert names == [
        "PAD",
        "CONV_2D",
        "DENSIFY",
        "CONV_2D",
        "PAD",
        "DEPTHWISE_CONV_2D",
        "CONV_2D",
        "MEAN",
    ]
    # The first PAD comes before the cluster.
    assert view.clusters == (None, 0, 0, 0, 0, 0, 0, 0)
    assert view.dispositions[4] is DispositionKind.VANISHES
    assert view.count(DispositionKind.SPARSE) == 2
    assert view.blockers == frozenset()


def test_further_subgraphs_have_clusters_and_positions_of_their_own() -> None:
    model, view = seen(sparse, blocked)
    first = len(model.survey.inspection.runtime[0].operators)
    assert [op.subgraph for op in model.operators] == [0] * first + [1] * 3
    assert view.cluster_list[0].sparse
    members = view.clusters[first:]
    assert members[0] is None
    assert members[1] == members[2] == 1
    assert not view.cluster_list[1].sparse
    assert view.blockers == {first}
    assert view.planned[first] is not None
    assert view.dispositions[first + 1] is DispositionKind.BLOCKED


def test_weights_are_found_by_the_operators_that_read_them() -> None:
    model, _ = seen(sparse, blocked)
    for place, weights in model.weights_of.items():
        for number in weights:
            uses = model.inspection.weights[number].uses
            op = model.operators[place]
            assert (op.subgraph, op.index) in {(use.subgraph, use.operator) for use in uses}
    assert sum(map(len, model.weights_of.values())) == len(model.inspection.weights) == 6
