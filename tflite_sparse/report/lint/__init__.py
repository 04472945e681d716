"""Findings in the formats that people and services read."""
