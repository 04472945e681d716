"""What a rule looks at: a model, its inspection, and what the configuration asks."""

from __future__ import annotations

import functools
import io
from typing import TYPE_CHECKING

from tflite_sparse.errors import TfliteSparseError
from tflite_sparse.inspection.inspector import inspect
from tflite_sparse.model import Model
from tflite_sparse.model.sizes.sized import resize
from tflite_sparse.model.zero_counts import ZeroCounts
from tflite_sparse.xnnpack.releases.runtimes import runtime
from tflite_sparse.xnnpack.releases.targets import target

if TYPE_CHECKING:
    from tflite_sparse.inspection.inspection import Inspection
    from tflite_sparse.inspection.runtime_types import TargetGroup
    from tflite_sparse.inspection.weights.weight_types import WeightFacts
    from tflite_sparse.lint.settings import Settings
    from tflite_sparse.model import Operator, Tensor
    from tflite_sparse.xnnpack.plan_types import Outcome
    from tflite_sparse.xnnpack.releases.targets import Target

__all__ = ["Subject"]


class Subject:
    """A model under examination; what is costly is computed once, when a rule asks for it.

    Args:
        path: the model's file.
        settings: what the configuration asks for this file.
        content: the model's bytes where they are not those of the file.

    Attributes:
        path: the model's file, as the user named it.
        settings: what the configuration asks for this file.
        model: the model.

    Raises:
        TfliteSparseError: the model cannot be read.
    """

    def __init__(self, path: str, settings: Settings, content: bytes | None = None) -> None:
        self.path = path
        self.settings = settings
        self._content = content
        self.model = self._read()

    def _read(self) -> Model:
        model = Model.read(self.path if self._content is None else self._content)
        if self.settings.input_shapes:
            resize(model, self.settings.input_shapes)
        return model

    @functools.cached_property
    def targets(self) -> tuple[Target, ...]:
        """The targets that matter."""
        return tuple(target(name) for name in self.settings.targets)

    @functools.cached_property
    def zeros(self) -> ZeroCounts:
        """The zeros of the model's weights, each counted once."""
        return ZeroCounts()

    @functools.cached_property
    def inspection(self) -> Inspection:
        """What the tool finds in the model; sizes after gzip where a budget asks for them."""
        return inspect(
            self.model,
            near=self.settings.near,
            digest=False,
            gzip="max-gzip-size" in self.settings.budgets,
            targets=self.targets,
            zeros=self.zeros,
            releases=[runtime(name) for name in self.settings.runtimes],
        )

    @functools.cached_property
    def dense_size(self) -> int:
        """Bytes of the file that `densify` writes."""
        from tflite_sparse.rewrite.storage.densify import densify
        from tflite_sparse.storage.written_size import written_size

        return written_size(densify(self.model.copy()).model)

    @functools.cached_property
    def optimized(self) -> Subject | None:
        """The model as `optimize` makes it; None where that leaves it as it is."""
        from tflite_sparse.rewrite.optimize import optimize
        from tflite_sparse.rewrite.writing.save import save

        try:
            rewrite = optimize(self.model)
            if not rewrite.changed:
                return None
            memory = io.BytesIO()
            save(rewrite, memory)
            return Subject(self.path, self.settings, memory.getvalue())
        except TfliteSparseError:
            return None

    @property
    def pruned(self) -> bool:
        """Whether somebody has pruned the model: enough zeros in its convolutions.

        What keeps a model from running sparse is of no interest where nothing was pruned.
        """
        totals = self.inspection.totals
        counted = [
            (totals.pointwise_zeros, totals.pointwise_weights),
            (totals.wide_zeros, totals.wide_weights),
        ]
        if not totals.pointwise_weights and any(g.other_pointwise for g in self.inspection.runtime):
            # Filters that are computed, from constants mostly, are not among those of convolutions.
            counted.append((totals.zeros, totals.weights))
        # Whole numbers first: a file may claim more weights than a float can count.
        return any(size > 0 and zeros / size >= self.settings.pruned for zeros, size in counted)

    def runs(self, *outcomes: Outcome) -> tuple[TargetGroup, ...]:
        """What the runtime does on the targets that matter, where it ends in one of these."""
        return tuple(group for group in self.inspection.runtime if group.outcome in outcomes)

    def operator(self, subgraph: int, index: int) -> Operator:
        """An operator by its indices."""
        return self.model.subgraphs[subgraph].operators[index]

    def tensor(self, weight: WeightFacts) -> Tensor:
        """The tensor that holds a weight."""
        return self.model.subgraphs[weight.subgraph].tensors[weight.tensor]
