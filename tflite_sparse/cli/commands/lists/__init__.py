"""The commands that list: rules, targets, and runtimes that can be installed."""
