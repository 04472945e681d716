"""Models in files, by the names that bench shows of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["put"]


def put(folder: Path, **models: bytes) -> list[str]:
    """Writes models to files.

    Args:
        folder: where.
        models: their bytes, by the names of the files without the ending.

    Returns:
        The paths, in the order of the models.
    """
    paths = []
    for name, data in models.items():
        path = folder / f"{name}.tflite"
        path.write_bytes(data)
        paths.append(str(path))
    return paths
