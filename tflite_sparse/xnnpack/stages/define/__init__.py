"""The define stage: the nodes that operators turn into."""
