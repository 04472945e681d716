"""What pruning did and what it left, as text."""
