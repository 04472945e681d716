"""Convolutions wider than 1x1 as sums of 1x1 convolutions of shifted maps."""
