"""In which numbers weights are stored that compute in fp32: fp32, fp16 or int8."""
