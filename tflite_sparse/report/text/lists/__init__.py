"""Lists of what the tool knows, as text."""
