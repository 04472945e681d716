"""LiteRT's own build for 64-bit Arm, run by qemu on another machine."""
