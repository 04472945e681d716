"""The configuration: how it is written, read, and changed by the command line."""
