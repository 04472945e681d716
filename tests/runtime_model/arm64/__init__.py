"""What LiteRT for 64-bit Arm does with the cases, on emulated processors."""
