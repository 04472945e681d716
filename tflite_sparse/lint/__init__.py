"""Rules over a model, their selection, configuration and baseline."""
