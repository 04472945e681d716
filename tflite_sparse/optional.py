"""Public names whose modules need a library that may not be installed."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tflite_sparse.errors import RuntimeUnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["public_name"]

_LIBRARIES = {
    "torch": ("PyTorch is not installed", "pip install 'tflite-sparse[train]'"),
    "keras": ("Keras 3 is not installed", "pip install keras, and one of its backends"),
}


def public_name(package: str, homes: Mapping[str, str], name: str) -> Any:
    """What a package calls by a name, imported when it is first asked for.

    Args:
        package: name of the package.
        homes: public name -> its module within the package.
        name: the name that is asked for.

    Raises:
        AttributeError: the package has no such name.
        RuntimeUnavailableError: the library that it needs is not installed.
    """
    if name not in homes:
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    try:
        home = import_module(f"{package}.{homes[name]}")
    except ModuleNotFoundError as error:
        if error.name not in _LIBRARIES:
            raise
        message, hint = _LIBRARIES[error.name]
        raise RuntimeUnavailableError(message, hint=f"run: {hint}") from None
    return getattr(home, name)
