"""What more zeros would win, as text."""
