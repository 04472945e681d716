"""What a comparison of two models says: weights bit for bit, outputs on the runtime."""

from __future__ import annotations

from typing import Literal

from tflite_sparse.model.sizes.sized import InputShapes
from tflite_sparse.records import Amount, Count, Record
from tflite_sparse.runtime.compare_outputs import OutputComparison, Tolerance
from tflite_sparse.runtime.litert.driver import Backend
from tflite_sparse.runtime.observations import Status
from tflite_sparse.storage.values.options import StoredValues
from tflite_sparse.words.names import readable

__all__ = ["BackendComparison", "Verification", "WeightComparison"]

_SHOWN = 6


class WeightComparison(Record, frozen=True):
    """A weight that is not the same in both models.

    Attributes:
        name: its name.
        operator: kind of the operator that reads it.
        missing: the model that does not have it; "" where both have it.
        differing: how many values differ; None where shapes or types do.
        largest: the largest difference of two values; None where it is not known.
    """

    name: str
    operator: str
    missing: Literal["a", "b", ""]
    differing: Count | None
    largest: Amount | None


class BackendComparison(Record, frozen=True):
    """What both models did with the same inputs on one set of kernels.

    Attributes:
        backend: XNNPACK, or the reference kernels of the runtime.
        status_a: how the first model fared.
        detail_a: what the runtime said of it.
        status_b: how the second model fared.
        detail_b: what the runtime said of it.
        tolerance: how far outputs may lie apart.
        outputs: the outputs; empty where one of the models did not run.
        problem: why outputs cannot be compared although both ran; "" for none.
        signature: key of the signature that was run; null for the main subgraph.
        measure: the kernels that the first model ran on, where these get it right and those of the
            backend do not; null where they are the same.
    """

    backend: Backend
    status_a: Status
    detail_a: str
    status_b: Status
    detail_b: str
    tolerance: Tolerance
    outputs: tuple[OutputComparison, ...]
    problem: str = ""
    signature: str | None = None
    measure: Backend | None = None

    derived = ("agree", "compared")

    @property
    def compared(self) -> bool:
        """Whether there were numbers to compare."""
        return self.status_a == self.status_b == "ok"

    @property
    def agree(self) -> bool:
        """Whether nothing speaks against the models being the same.

        A model that fails does not disagree with one that fails in the same way; but that proves
        nothing, see `Verification.verified`.
        """
        if self.problem:
            return False
        if not self.compared:
            return self.status_a == self.status_b
        return all(output.within for output in self.outputs)


class Verification(Record, frozen=True):
    """The comparison of two models.

    Attributes:
        a: the first model.
        b: the second model.
        weights: weights that are not the same; -0.0 and 0.0 are.
        weights_equal: number of weights that are the same.
        graph: differences of the graphs, one sentence each.
        trials: number of sets of inputs.
        seed: seed of random inputs; None for given ones.
        emulated: whether the processor was emulated.
        backends: outputs of the main subgraph, and of each signature that says anything else, on
            each set of kernels; empty where they were not asked for.
        not_run: what could not be run of what should have been, and why, one sentence each.
        unreached: what was not run on purpose: subgraphs that nothing leads to, and signatures
            beside the one that was asked for.
        input_shapes: the sizes that they were run at; None where the first model leaves none open.
        adapted: whether the second looks like the first after its graph was adapted; then its
            outputs decide, and no weight speaks against it.
        processor: the processor that was emulated, for people; "" where none was.
        rounded: the numbers, int8 or fp16, to which the weights of the second look as if rounded;
            then its outputs decide too, and may lie further apart; null where they do not.
        zeroed: how many more values are zero in the second, in weights that both models have, as
            pruning leaves it.
    """

    a: str
    b: str
    weights: tuple[WeightComparison, ...]
    weights_equal: Count
    graph: tuple[str, ...]
    trials: Count
    seed: Count | None
    emulated: bool
    backends: tuple[BackendComparison, ...]
    not_run: tuple[str, ...] = ()
    unreached: tuple[str, ...] = ()
    input_shapes: InputShapes | None = None
    adapted: bool = False
    processor: str = ""
    rounded: StoredValues | None = None
    zeroed: Count = 0

    derived = ("equal", "verified", "unverified", "constant")

    def __repr__(self) -> str:
        """A few lines: the whole is in the fields, and in `to_dict()`."""
        verdict = "equal" if self.equal else "different" if not self.alike else self.unverified
        total = self.weights_equal + len(self.weights)
        lines = [f"<Verification of {self.a} against {self.b}: {verdict}"]
        lines.append(f"  {self.weights_equal} of {total} weights equal")
        for backend in self.backends[:_SHOWN]:
            furthest = max((output.max_abs for output in backend.outputs), default=None)
            words = "not compared" if furthest is None else f"at most {furthest:.3g} apart"
            lines.append(f"  outputs on {backend.backend}: {words}")
        return "\n".join(lines) + ">"

    @property
    def alike(self) -> bool:
        """Whether nothing speaks against the models being the same, however little was run."""
        outputs_decide = self.adapted or self.rounded is not None
        if self.weights and not (outputs_decide and self.backends):
            return False
        return all(backend.agree for backend in self.backends)

    @property
    def equal(self) -> bool:
        """Whether weights and outputs are the same, as far as these were asked for.

        Of a model and what adapting or rounding made of it, the outputs.
        """
        ran = not (self.backends or self.not_run) or not self.unverified
        return self.alike and ran

    @property
    def verified(self) -> bool:
        """Whether both models ran and computed the same."""
        return self.alike and not self.unverified

    @property
    def unverified(self) -> str:
        """Why outputs were not compared, or not all of them; "" where they were."""
        if self.not_run:
            return self.not_run[0]
        if not self.backends:
            return "the models were not run"
        for signature in dict.fromkeys(entry.signature for entry in self.backends):
            runs = [entry for entry in self.backends if entry.signature == signature]
            if not any(entry.compared or not entry.agree for entry in runs):
                what = "the models"
                if signature is not None:
                    what = f"signature {readable(signature)!r}"
                return f"{what} could not be run: {runs[0].detail_a or runs[0].status_a}"
        return ""

    @property
    def constant(self) -> tuple[str, ...]:
        """Outputs that are the same for every input: that they agree proves nothing."""
        outputs = [output for entry in self.backends for output in entry.outputs]
        return tuple(dict.fromkeys(o.name for o in outputs if o.constant and o.within))

    @property
    def failing(self) -> tuple[BackendComparison, ...]:
        """Kernels that run neither model, where other kernels run both."""
        if self.unverified:
            return ()
        return tuple(entry for entry in self.backends if entry.agree and not entry.compared)
