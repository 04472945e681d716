"""What the terminal says of how a model was pruned and trained."""

from __future__ import annotations

from types import SimpleNamespace

from tflite_sparse.report.text.pruning.prune import _rate
from tflite_sparse.torch.training.rates import LearningRate, find_rate


def said(rate: LearningRate) -> str:
    return _rate(SimpleNamespace(learning_rate=rate))


def test_a_learning_rate_is_said_to_be_tried_only_where_it_was() -> None:
    assert said(find_rate(lambda rate: 1 - 100 * rate)).startswith("learning rate 0.001, the larg")
    smaller = said(find_rate(lambda _: 1.2))
    assert smaller == "learning rate 3e-05: each larger one that was tried undoes what is there"
    assert said(find_rate(None)) == "learning rate 0.0001; too few batches to try others"
    assert said(LearningRate(0.002, "given")) == "learning rate 0.002"
