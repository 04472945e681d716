"""Trains what was pruned: distillation from the dense model, with masks that hold the zeros."""
