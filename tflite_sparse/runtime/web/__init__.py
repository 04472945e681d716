"""LiteRT.js in a headless browser."""
