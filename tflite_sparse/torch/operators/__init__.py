"""What the operators of TFLite compute, in PyTorch."""
