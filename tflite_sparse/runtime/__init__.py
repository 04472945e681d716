"""Drivers of real runtimes, each an optional extra that is found when it is used."""
