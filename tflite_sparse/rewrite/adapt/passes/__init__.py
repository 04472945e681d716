"""The passes inside `adapt`, one module each."""
