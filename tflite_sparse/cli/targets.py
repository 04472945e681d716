"""The targets and releases of the runtime that options name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tflite_sparse.xnnpack.releases.targets import Target

__all__ = ["names_of", "targets_of"]


def targets_of(
    names: Sequence[str] | None, releases: Sequence[str] | None
) -> tuple[Target, ...] | None:
    """The targets that --target and --runtime ask for; None for all, with the newest releases.

    Raises:
        UsageError: there is no such target or release.
    """
    if not names and not releases:
        return None
    from tflite_sparse.xnnpack.releases.targets import target, targets

    every = tuple(entry.name for entry in targets())
    return tuple(map(target, names_of(names, releases, every)))


def names_of(
    names: Sequence[str] | None, releases: Sequence[str] | None, usual: Sequence[str]
) -> tuple[str, ...]:
    """Names of the targets that --target and --runtime ask for; "" for neither.

    Args:
        names: what --target names.
        releases: what --runtime names.
        usual: the targets where --runtime stands alone.

    Raises:
        UsageError: there is no such target or release.
    """
    if not releases:
        return tuple(dict.fromkeys(names or ()))
    from tflite_sparse.xnnpack.releases.targets import on_releases

    return on_releases(names or usual, releases)
