"""Ratios against peers and limits, each within one run."""
