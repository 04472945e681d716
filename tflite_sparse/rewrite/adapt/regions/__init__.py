"""Regions: the operators that will run in the sparse layout together."""
