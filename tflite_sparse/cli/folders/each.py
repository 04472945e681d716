"""Does the same with each model in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tflite_sparse.cli.errors import as_project_error, report_problem
from tflite_sparse.cli.folders.mirror import check_own, room_for
from tflite_sparse.cli.progress import progress_bar
from tflite_sparse.errors import TfliteSparseError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["each_model"]

Row = TypeVar("Row")


def each_model(
    folder: str,
    names: Sequence[str],
    targets: Mapping[str, Path],
    one: Callable[[str, str], Row],
    failed: Callable[[str, str, str], Row],
) -> list[Row]:
    """Does the same with each model in a folder, in order.

    A model that fails is told at once and does not keep the others back.

    Args:
        folder: the folder.
        names: the models, as paths within it.
        targets: what is written for each of them, and no other's; empty for nothing.
        one: what is done; it is given the model's name and its path.
        failed: makes a row of a model that failed; it is also given the reason.

    Returns:
        What these have returned.
    """
    rows = []
    with progress_bar(folder) as update:
        for done, name in enumerate(names):
            update(done, len(names))
            path = str(Path(folder) / name)
            try:
                if name not in targets:
                    rows.append(one(name, path))
                    continue
                check_own(targets[name], [targets[other] for other in names[:done]])
                with room_for(targets[name]):
                    rows.append(one(name, path))
            except (TfliteSparseError, OSError, MemoryError, RecursionError) as error:
                reason = str(as_project_error(error, path))
                report_problem(reason)
                rows.append(failed(name, path, reason))
    return rows
