"""A stand-in for adb with devices behind it, where benchmark_model runs."""
