"""How far the plan agrees with what was recorded: python -m tests.runtime_model.arm64.agree."""

from __future__ import annotations

from typing import Any

from tests.runtime_model.arm64.record import RECORDED, recorded
from tests.runtime_model.cases import CASES
from tests.runtime_model.record import plain
from tflite_sparse.model import Model
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.plan_types import Outcome

__all__ = ["EXCEPTIONS", "disagreement", "main"]

_HALF = "cortex-a76-fp16"
_EIGHT_BITS = "8-bit operators stay outside of XNNPACK where half precision alone is asked for"
_SQUARES = "the square is computed behind the conversion to fp32, not in front of it"
_VARIABLES = "values of variables are copied and read in fp16, the plan names them in fp32"

EXCEPTIONS = {
    (_HALF, name): why
    for why, names in {
        _EIGHT_BITS: (
            "other.quantized_branch_beside_it",
            "other.quantized_classifier_that_is_small",
            "other.quantized_classifier_that_is_sparse",
            "other.quantized_convolution_that_is_sparse",
            "other.quantized_and_back",
            "variables.of_integers",
        ),
        _SQUARES: ("ends.mean_of_squares", "ends.total_of_squares"),
        _VARIABLES: (
            "variables.input_assigned_and_read_as_an_output",
            "variables.assigned_and_used",
            "variables.two_variables",
            "variables.assigned_a_map_of_the_cluster",
            "variables.map_that_was_read",
            "variables.assigned_behind_the_head",
        ),
        "fails while it runs in half precision": ("hints.matrix_product_beside_the_cluster",),
    }.items()
    for name in names
}
"""Where the plan does not agree, by processor and case, and why."""


def disagreement(name: str, where: str, seen: dict[str, Any]) -> str:
    """What the plan says otherwise than was recorded; "" where they agree.

    Args:
        name: the case.
        where: the processor.
        seen: what was recorded there.
    """
    made = plan(Model.read(CASES[name].build()).subgraphs[0], RECORDED[where].target)
    if made.outcome in (Outcome.LOAD_FAILURE, Outcome.PROCESS_ABORT):
        # What comes of reading past the end of memory is a matter of luck.
        may_run = made.outcome is Outcome.PROCESS_ABORT
        return "" if seen["status"] != "ok" or may_run else f"planned {made.outcome.value}, it ran"
    if seen["status"] != "ok":
        return f"planned {made.outcome.value}, recorded {seen['status']}"
    names = [list(part.executed) for part in made.partitions if part.executed]
    if names != plain(seen["partitions"]):
        return f"planned {names}, recorded {seen['partitions']}"
    outside = [op.name for op in made.operators if not op.delegated]
    return "" if outside == seen["outside"] else f"planned outside {outside}"


def main() -> None:
    """Prints the share of the cases that agree, and the others with why."""
    for where in RECORDED:
        cases = recorded(where)
        wrong = {name: why for name in cases if (why := disagreement(name, where, cases[name]))}
        share = (len(cases) - len(wrong)) / len(cases)
        print(f"{where}: {len(cases) - len(wrong)} of {len(cases)} cases agree ({share:.1%})")  # noqa: T201 - a script
        for name, why in wrong.items():
            print(f"  {name}: {EXCEPTIONS.get((where, name), why)}")  # noqa: T201


if __name__ == "__main__":
    main()
