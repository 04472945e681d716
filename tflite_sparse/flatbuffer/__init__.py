"""Bytes and tables: the layout of the format, stated once in schema/tflite.fbs, not its meaning."""
