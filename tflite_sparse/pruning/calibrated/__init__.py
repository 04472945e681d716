"""Values fitted to what the model computes on data."""
