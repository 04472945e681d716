"""Model -> Inspection: frozen records that say everything the tool knows."""
