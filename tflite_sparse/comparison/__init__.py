"""What differs between two models: what they mean, and how they store it."""
