"""Files for everybody: written so that a name holds the old bytes or all of the new ones."""
