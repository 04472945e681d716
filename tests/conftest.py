"""What holds for all tests: in CI, generated examples are the same in every run."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("search", derandomize=False, deadline=None)
# A search for new cases belongs on somebody's machine, not between a change and its landing.
settings.load_profile("ci" if os.environ.get("CI") else "search")
