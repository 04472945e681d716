"""The decision about each weight: whether it is to be stored sparse, how, and why not."""
