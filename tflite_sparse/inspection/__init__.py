"""Model -> Inspection: frozen dataclasses that say everything the tool knows."""
