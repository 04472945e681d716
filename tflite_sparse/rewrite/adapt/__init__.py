"""Makes a stock CNN eligible for sparse inference, without a change to what it computes."""

from tflite_sparse.rewrite.adapt.planner import adapt
from tflite_sparse.rewrite.adapt.results import PASSES, Adaptation, AdaptOptions, Outlook, Step

__all__ = ["PASSES", "AdaptOptions", "Adaptation", "Outlook", "Step", "adapt"]
