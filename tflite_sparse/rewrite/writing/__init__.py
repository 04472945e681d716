"""Writes a rewritten model, and proves what was written."""
