"""The stages of the runtime, one module each, in the order in which it goes through them."""
