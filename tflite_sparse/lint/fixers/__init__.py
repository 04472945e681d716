"""Safe repairs, as objects that rules name."""
