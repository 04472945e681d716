"""What a loss says that is no finite number, before any batch and after some."""

from __future__ import annotations

import math

import pytest

from tflite_sparse.errors import UsageError
from tflite_sparse.torch.training.checks import check_loss


def test_before_any_batch_the_data_are_to_blame_and_later_the_learning_rate():
    for loss in (math.nan, math.inf):
        with pytest.raises(UsageError, match="no finite numbers on the samples") as before:
            check_loss(loss, 0)
        assert "NaN and infinity" in str(before.value.hint)
        with pytest.raises(UsageError, match="diverged at batch 7; use a lower learning rate"):
            check_loss(loss, 7)
    for batches in (0, 7):
        check_loss(1e38, batches)
