"""Moments of what filters read: they tell what an error of a weight does to the outputs."""
