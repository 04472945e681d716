"""Packages whose public names are imported when they are first asked for.

Starting Python is most of what a command takes on a small model, so nobody pays for modules that
only others need.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["import_lazily"]


def import_lazily(package: str, homes: Mapping[str, str]) -> None:
    """Gives a package public names without importing what they stand for.

    A name means the same whichever module was imported before: where a function and the module that
    holds it are called the same, the package's attribute is the function.

    Args:
        package: name of the package, whose `__init__` calls this.
        homes: each public name and the module it comes from, relative to the package.
    """
    module = sys.modules[package]
    module.__class__ = _Lazy
    module.__dict__["__lazy__"] = dict(homes)


class _Lazy(ModuleType):
    __lazy__: dict[str, str]

    def __getattr__(self, name: str) -> Any:
        home = self.__lazy__.get(name)
        if home is None:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{self.__name__}.{home}"), name)
        self.__dict__[name] = value
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        # Importing a module of a package sets the package's attribute of that name.
        if isinstance(value, ModuleType) and self.__lazy__.get(name) == name:
            value = getattr(value, name)
        super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.__lazy__})
