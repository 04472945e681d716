"""What an inspection says about single weights."""
