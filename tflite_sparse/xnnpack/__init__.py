"""The model of the runtime: what XNNPACK does with every operator, and why."""
