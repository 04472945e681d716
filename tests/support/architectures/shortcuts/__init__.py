"""Classifiers whose blocks add up what goes around them."""
