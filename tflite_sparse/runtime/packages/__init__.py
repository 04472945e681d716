"""Packages that a runtime is made of: pinned by their hashes, fetched by the machine's clients."""
