"""The runtimes and the hardware that a plan is for."""
