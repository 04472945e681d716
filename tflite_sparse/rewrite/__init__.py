"""Model -> Model and a list of changes: sparsify, densify, adapt, optimize."""
