"""Nets with zeros in all their filters, by the real converters; see docs/converted-nets.md."""
