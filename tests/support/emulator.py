"""Tests that need an emulated processor without AVX."""

from __future__ import annotations

import pytest

__all__ = ["needs_emulator"]

needs_emulator = pytest.mark.usefixtures("emulator")
"""Marks a test that needs the emulator: where it is missing, the test fails and says so."""
