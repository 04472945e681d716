"""Rules over an inspection, their selection, configuration and baseline."""
