"""The model of the runtime: what LiteRT and XNNPACK will do with every operator, and why."""
