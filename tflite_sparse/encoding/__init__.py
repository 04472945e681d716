"""TFLite's sparse storage format: encode, decode, cost. Numpy in, numpy out; knows no model."""
