"""What each section of the page says: words, numbers and pictures, ready for its template."""
