"""The arguments that benchmarks of pruned classifiers of images share."""

from __future__ import annotations

import argparse

__all__ = ["image_parser"]


def image_parser(about: str | None) -> argparse.ArgumentParser:
    """A parser of a model, two folders of photographs, the share of zeros and how inputs are made.

    Args:
        about: what the command does.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("model")
    parser.add_argument("fitted", help="photographs that values are fitted to")
    parser.add_argument("judged", help="photographs that tell the quality")
    parser.add_argument("--zeros", type=float, default=0.7)
    parser.add_argument("--mean", type=float, default=127.5)
    parser.add_argument("--std", type=float, default=127.5)
    return parser
