"""Orders of the channels of feature maps: which have to be the same, and which are fast."""
