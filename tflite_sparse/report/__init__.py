"""Inspections and findings as text, JSON and other formats."""
