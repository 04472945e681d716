"""The package against its peers, each measured in one run."""
