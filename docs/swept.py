"""A hook of mkdocs: a page of each sweep that `python -m benchmarks.sweeps` has kept."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.swept import FOLDER, read  # noqa: E402
from tflite_sparse.report.html.sweep import sweep_page  # noqa: E402


def pages() -> dict[str, str]:
    """The pages by where they are in the documentation."""
    found = {path.stem: read(path.stem) for path in sorted(FOLDER.glob("*.json"))}
    return {f"sweeps/{net}.html": sweep_page(each.sweep) for net, each in found.items() if each}


def on_files(files: Any, config: Any) -> Any:
    """Adds them to the site."""
    from mkdocs.structure.files import File

    for place, text in pages().items():
        files.append(File.generated(config, place, content=text))
    return files
