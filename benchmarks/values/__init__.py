"""What weights in fewer bits cost: size, quality, loading, on every release."""
