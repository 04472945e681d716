"""What pruning leaves of real nets."""
