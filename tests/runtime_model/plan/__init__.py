"""The plan, held against LiteRT and against what was recorded of it."""
