"""Android devices: models timed by LiteRT's own benchmark_model, over adb."""
