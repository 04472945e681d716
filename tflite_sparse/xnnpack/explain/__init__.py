"""From the stages back to the model: rules by code, reasons in words, advice."""
