"""Commands that take folders of models."""
