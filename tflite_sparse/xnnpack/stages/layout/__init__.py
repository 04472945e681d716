"""The layout stage: how values really lie in memory."""
