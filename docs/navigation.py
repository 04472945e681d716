"""A hook of mkdocs: fills in the folders that the navigation names as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_INDEX = ("README.md", "index.md")


def on_config(config: Any) -> Any:
    """Replaces each folder in the navigation by its pages, the index first."""
    config.nav = [_filled(item, Path(config.docs_dir)) for item in config.nav]
    return config


def _filled(item: Any, docs: Path) -> Any:
    if not isinstance(item, dict):
        return item
    ((title, value),) = item.items()
    if isinstance(value, list):
        return {title: [_filled(part, docs) for part in value]}
    return {title: _pages(docs, value)} if value.endswith("/") else item


def _pages(docs: Path, folder: str) -> list[str]:
    names = sorted(page.name for page in (docs / folder).glob("*.md"))
    ordered = [n for n in names if n in _INDEX] + [n for n in names if n not in _INDEX]
    return [folder + name for name in ordered]
