"""Inputs that users give: images, arrays, or what their own function yields."""
