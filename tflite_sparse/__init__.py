"""Makes sparse TensorFlow Lite / LiteRT models real: inspect, sparsify, densify, prove, lint."""
