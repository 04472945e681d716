"""Architectures of which most stays dense, each for another reason."""
