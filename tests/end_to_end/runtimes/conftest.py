"""What tests of the commands that run models share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Store = Callable[..., list[str]]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Puts models into files; returns their paths."""

    def put(*models: bytes) -> list[str]:
        paths = [tmp_path / f"{chr(ord('a') + number)}.tflite" for number in range(len(models))]
        for path, data in zip(paths, models, strict=True):
            path.write_bytes(data)
        return [str(path) for path in paths]

    return put
