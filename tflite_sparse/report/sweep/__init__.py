"""A sweep as text and as CSV."""
