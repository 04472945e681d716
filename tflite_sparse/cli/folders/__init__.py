"""Commands that take a folder of models: each by itself, and a table of all at the end."""
