"""The graph: models, subgraphs, operators, tensors, constants, producers and consumers."""
