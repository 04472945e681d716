"""How weights are stored: sparse, dense again, and which of both is smaller."""
