"""What the tensors inside a model hold when LiteRT runs it."""
