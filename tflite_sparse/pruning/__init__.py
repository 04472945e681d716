"""Sets weights to zero where the runtime will skip them, and keeps what the model computes near."""
