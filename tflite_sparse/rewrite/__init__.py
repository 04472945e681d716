"""Model -> Model and the list of changes: sparsify, densify and their kin."""
