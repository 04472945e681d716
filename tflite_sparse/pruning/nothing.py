"""Why a model has nothing that is worth pruning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.errors import UsageError
from tflite_sparse.words.addresses import DOCS

if TYPE_CHECKING:
    from tflite_sparse.pruning.filters import Selected

__all__ = ["is_stored_sparse", "nothing_to_prune"]


def is_stored_sparse(selected: Selected) -> bool:
    """Whether more values are stored sparse, and stay as they are, than would be pruned.

    Args:
        selected: what was found in a model.
    """
    stored = sum(left.elements for left in selected.left if left.code == "sparse")
    return stored > sum(prunable.size for prunable in selected.filters)


def nothing_to_prune(selected: Selected) -> UsageError:
    """Why no filter is pruned.

    Args:
        selected: what was found in a model, without a filter or with few of those that it has.
    """
    why = {left.code: left.reason for left in reversed(selected.left)}
    if "sparse" in why:
        return UsageError(
            "the filters of the model are stored sparse already",
            hint="tflite-sparse densify stores them dense, to be pruned further",
        )
    if "selection" in why and "dense" not in why:
        return UsageError(
            "none of the filters that are asked for would run sparse",
            hint="leave --only and --exclude out, and see which are pruned",
        )
    if "type" in why and "dense" not in why:
        return UsageError(
            f"zeros would win nothing: its filters are {why['type']}",
            hint="keep it as it is, or prune the float model that it was made from:"
            f" {DOCS}/recipes/int8-or-sparse.md",
        )
    return UsageError(
        "no filter of the model would run sparse, so that zeros win nothing"
        + (f": {why['dense']}" if "dense" in why else ""),
        hint="tflite-sparse optimize --dry-run says what stands in the way",
    )
