"""How near the file that is written comes to the dense model that was pruned."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tflite_sparse.errors import RewriteError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tflite_sparse.cli.pruning.asked import Pruned
    from tflite_sparse.pruning.measures import Quality
    from tflite_sparse.rewrite.changes import Rewrite

__all__ = ["Judge", "in_turn"]


def in_turn(checks: Sequence[Callable[[Path], None]]) -> Callable[[Path], None] | None:
    """One check of a file that makes several; None for none."""

    def check(written: Path) -> None:
        for each in checks:
            each(written)

    return check if checks else None


class Judge:
    """Judges a pruned model once it is optimized, on inputs that nothing was fitted to.

    Attributes:
        quality: how near it comes to the dense model; None before it was written, and without data.
    """

    def __init__(self, model: str, rewrite: Rewrite, pruned: Pruned | None, least: float) -> None:
        """Notes what is judged.

        Args:
            model: path of the dense model.
            rewrite: what was done to the pruned model.
            pruned: the pruned model; None where nothing was pruned.
            least: the smallest agreement that is allowed; 0 asks for nothing.
        """
        self._model = model
        self._rounded = any(change.rounding for change in rewrite.weights)
        self._pruned = pruned
        self._least = least
        self.quality: Quality | None = None

    @property
    def checks(self) -> list[Callable[[Path], None]]:
        """What is to be done with the file; nothing where there are no data to judge by."""
        if self._pruned is None or not self._pruned.held_out:
            return []
        return [partial(self._judge, self._pruned)]

    def _judge(self, pruned: Pruned, written: Path) -> None:
        """Judges a file; only rounding can change what pruning left, else nothing is run again.

        Raises:
            RewriteError: it agrees on less than is allowed.
        """
        if not self._rounded:
            self.quality = pruned.pruning.quality
            return
        from tflite_sparse.cli.progress import progress_bar
        from tflite_sparse.model import Model
        from tflite_sparse.pruning.judge import judge

        with progress_bar("judging what is written"):
            self.quality = judge(Model.read(self._model), Model.read(written), pruned.held_out)
        agreement = self.quality.agreement
        if self._least and agreement is not None and agreement < self._least:
            raise RewriteError(
                f"pruned and rounded, it agrees with the dense model on {100 * agreement:.1f} % of"
                f" the inputs held out, which is less than {100 * self._least:g} %",
                hint="--force writes it all the same; --values fp16 rounds less",
            )
