"""Where the results of a folder of models go: to a folder that is like it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from tflite_sparse.cli.paths import SUFFIX
from tflite_sparse.errors import FileError, Place, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "check_apart",
    "check_free",
    "check_own",
    "make_folders",
    "mirrored",
    "models_in",
    "room_for",
]


def models_in(folder: str, *, once: bool = False) -> list[str]:
    """The models in a folder and all below it, as paths within it.

    Args:
        folder: the folder.
        once: whether a file that has several names, by symbolic links, is taken by one of them: its
            own where that is there.

    Raises:
        FileError: there are none.
    """
    root = Path(folder)
    models = sorted(p for p in root.rglob(f"*{SUFFIX}") if p.is_file())
    if once:
        own_first = sorted(models, key=Path.is_symlink)
        models = sorted({path.resolve(): path for path in reversed(own_first)}.values())
    if not models:
        raise FileError(f"no {SUFFIX} files in this directory", place=Place(file=folder))
    return [str(path.relative_to(root)) for path in models]


def check_apart(folder: str, output: str) -> None:
    """Makes sure that what is written is not read.

    Args:
        folder: the folder that is read.
        output: the folder that is written.

    Raises:
        UsageError: the folder that is written lies in the one that is read.
    """
    if Path(output).resolve().is_relative_to(Path(folder).resolve()):
        raise UsageError(
            f"{output} lies in {folder}, and would be read as well", hint="write somewhere else"
        )


def mirrored(output: str, names: list[str]) -> dict[str, Path]:
    """Where the result of each model goes, by its path within its folder.

    Args:
        output: the folder that is written.
        names: the models, as paths within the folder that is read.

    Raises:
        FileError: the folder that is written is a file.
    """
    target = Path(output)
    if target.exists() and not target.is_dir():
        raise FileError(
            "is a file, and the results of a folder go to a folder", place=Place(file=output)
        )
    return {name: target / name for name in names}


def check_free(targets: dict[str, Path], *, force: bool) -> None:
    """Makes sure that nothing is overwritten, before any work is done.

    Args:
        targets: what is to be written.
        force: whether files that are there are overwritten.

    Raises:
        FileError: one of them is there already.
    """
    there = [path for path in targets.values() if path.exists()]
    if there and not force:
        more = f", and {len(there) - 1} more" if len(there) > 1 else ""
        raise FileError(
            f"the file exists already{more}",
            place=Place(file=str(there[0])),
            hint="--force overwrites what is there",
        )


def check_own(path: Path, earlier: Iterable[Path]) -> None:
    """Makes sure that a result does not take the place of another model's.

    Two names are one file where a disk does not tell capitals from small letters, and by links.

    Args:
        path: what is to be written.
        earlier: what has been written for other models.

    Raises:
        FileError: it is one of these.
    """
    if not path.exists():
        return
    other = next((p for p in earlier if p.exists() and p.samefile(path)), None)
    if other is not None:
        raise FileError(
            f"is the same file as {other}, which holds the result of another model",
            place=Place(file=str(path)),
            hint="write to another folder, or rename the model",
        )


@contextlib.contextmanager
def room_for(path: Path) -> Iterator[None]:
    """Makes the folders that a file lies in; those that are empty after the block go again.

    Args:
        path: what is to be written.

    Raises:
        FileError: they cannot be made.
    """
    folders = [folder for folder in path.parents if not folder.exists()]
    try:
        make_folders(path)
        yield
    finally:
        with contextlib.suppress(OSError):
            for folder in folders:
                folder.rmdir()


def make_folders(path: Path) -> None:
    """Makes the folders that a file lies in.

    Raises:
        FileError: they cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(
            f"cannot make the folder: {error.strerror}", place=Place(file=str(path.parent))
        ) from error
