"""The commands that list what the tool knows: rules and targets."""
