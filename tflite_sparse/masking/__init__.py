"""Which weights are zero while a model is trained: when zeros come, and which of them move."""
