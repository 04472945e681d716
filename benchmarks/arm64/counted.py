"""Counts that lie in a file, and are made anew on request."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from tflite_sparse.runtime.arm64.packages import LITERT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["counted"]


def counted(about: str, path: Path, count: Callable[[], Any]) -> Any:
    """The instructions of nets as they lie in a file, counted anew with --count.

    Args:
        about: what the command does.
        path: the file.
        count: counts them on LiteRT for 64-bit Arm.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--count", action="store_true", help="count anew")
    if parser.parse_args().count:
        found = {"runtime": f"LiteRT {LITERT}", "nets": count()}
        path.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    return json.loads(path.read_text("utf-8"))["nets"]
