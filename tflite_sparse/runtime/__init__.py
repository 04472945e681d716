"""Drivers of real runtimes, each an optional extra found when it is used."""
