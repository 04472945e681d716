"""The results of `detectors`, kept beside it, and the tables of them that the documentation has.

Run as: python -m benchmarks.pruning.detected, which prints the tables.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Row = dict[str, float]
    Columns = Mapping[str, Callable[[Row], str]]

__all__ = ["FACE", "HAND", "MASK", "keep", "tables"]

FACE, HAND = "face_detection_full_range", "hand_landmark_full"
MASK = "selfie_segmentation"

_KEPT = Path(__file__).with_name("detectors.json")


def _read() -> dict[str, dict[str, Row]]:
    results: dict[str, dict[str, Row]] = {}
    if _KEPT.exists():
        results = json.loads(_KEPT.read_text("utf-8"))
    return results


def keep(net: str, way: str, found: Row) -> None:
    """Prints a result and writes it down.

    Args:
        net: the model.
        way: how it was pruned, and to what share of zeros.
        found: measures by their names.
    """
    results = _read()
    results.setdefault(net, {})[way] = {name: round(value, 4) for name, value in found.items()}
    _KEPT.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    print(f"{net}, {way}: {results[net][way]}", flush=True)


def tables() -> list[str]:
    """What is left of faces, hands and masks, as Markdown, where there are results."""
    results = _read()
    faces: Columns = {
        "faces found": lambda row: _percent(row["recall"]),
        "IoU of these": lambda row: f"{row['IoU']:.3f}",
        "box at the place": lambda row: _percent(row["placed"]),
        "mean score (logit)": lambda row: f"{row['score']:.2f}".replace("-", "\u2212"),
        "ms": _milliseconds,
    }
    hands: Columns = {
        "mean error": lambda row: _percent(row["error"], 1),
        "median error": lambda row: _percent(row["median"], 1),
        "hands seen": lambda row: _percent(row["seen"]),
        "ms": _milliseconds,
    }
    masks: Columns = {
        "mask in common (IoU)": lambda row: f"{row['IoU']:.3f}",
        "in the worst picture": lambda row: f"{row['worst']:.3f}",
        "mean difference": lambda row: _percent(row["off"], 1),
        "ms": _milliseconds,
    }
    nets = ((FACE, faces), (HAND, hands), (MASK, masks))
    return [_table(results[net], columns) for net, columns in nets if net in results]


def _table(rows: dict[str, Row], columns: Columns) -> str:
    lines = [["", *columns], ["---"] * (len(columns) + 1)]
    methods = [way.rpartition(", ")[0] for way in rows]
    in_order = sorted(rows, key=lambda way: (methods.index(way.rpartition(", ")[0]), way))
    lines += [[way, *(column(rows[way]) for column in columns.values())] for way in in_order]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines).replace("|  |", "| |")


def _percent(share: float, digits: int = 0) -> str:
    return f"{100 * share:.{digits}f} %"


def _milliseconds(row: Row) -> str:
    return f"{row['ms']:.1f}" if "ms" in row else ""


if __name__ == "__main__":
    print("\n".join(tables()))
