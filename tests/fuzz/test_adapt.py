"""Whatever a file claims, adapting it ends in a sound model or in one of the project's errors."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.damage import apply, damages
from tests.runtime.adaptable_nets import adaptable_net
from tflite_sparse.errors import TfliteSparseError
from tflite_sparse.model import Model
from tflite_sparse.rewrite import AdaptOptions, optimize

EXAMPLES = int(os.environ.get("TFLITE_SPARSE_FUZZ", "60"))
# Nets with many kinds of operators and little else.
MODELS = {number: adaptable_net(number)[0] for number in (3, 11, 24, 57)}


@pytest.mark.parametrize("number", MODELS)
@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None,
    derandomize=True,
)  # fmt: skip
@given(data=st.data())
def test_a_damaged_model_is_adapted_or_refused(number, data):
    whole = MODELS[number]
    # Most of what decides lies in the structure, which is at the ends of the file.
    damaged = apply(whole, data.draw(damages(len(whole))))
    try:
        model = Model.read(damaged)
        optimize(model, AdaptOptions(min_gain=0))
        made = model.to_bytes()
    except TfliteSparseError:
        return
    assert Model.read(made).read_only is None
