"""What the package offers at its top level: the functions below it, for those who call by hand."""
