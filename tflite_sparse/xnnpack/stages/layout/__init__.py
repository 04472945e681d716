"""The layout stage: how values are really laid out in memory."""
