"""What `sweep` is asked for."""
