"""What reports tell of, made up for tests."""
