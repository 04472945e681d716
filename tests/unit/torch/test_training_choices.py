"""What training compares, and which options it takes."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

pytest.importorskip("torch")

from tflite_sparse.errors import UsageError
from tflite_sparse.torch.module import Instruction
from tflite_sparse.torch.training.loss import watched
from tflite_sparse.torch.training.options import DistillOptions


def test_logits_may_be_the_tensor_with_the_number_0():
    steps = (Instruction("SOFTMAX #0", lambda x: x, (0,), (1,)),)
    module = SimpleNamespace(instructions=steps, outputs=(1,), numbers_of=lambda _: set())
    where = watched(module, [], labelled=False)
    assert (where.logits, where.values) == ([0], [])


def test_masks_of_no_such_kind_are_refused():
    with pytest.raises(UsageError, match="masks is one of fixed, magnitude, rigl, was 'rigL'"):
        DistillOptions(masks="rigL").check()  # type: ignore[arg-type]
