"""Orders of output channels in which blocks of zeros cost least."""
