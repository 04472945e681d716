"""The recorded cases on older releases of LiteRT."""
