"""Holds what is about to be released against what was recorded."""
