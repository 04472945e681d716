"""How long a plan takes."""
