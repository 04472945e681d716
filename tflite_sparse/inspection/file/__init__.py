"""What an inspection says about the file as a whole."""
