"""What LiteRT for 64-bit Arm executes under emulation, counted, and what the plan makes of it."""
