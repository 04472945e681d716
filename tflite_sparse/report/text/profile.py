"""A profile for people."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING

from tflite_sparse.report.input_shapes import sizes_words
from tflite_sparse.report.names import shorten
from tflite_sparse.report.text.table import Column, table
from tflite_sparse.words.numbers import count_of, rounded_percent
from tflite_sparse.words.wrapping import wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text

    from tflite_sparse.model.sizes.sized import InputShapes
    from tflite_sparse.runtime.observations import Profile
    from tflite_sparse.runtime.plan_match import PlanComparison

__all__ = ["profile_lines"]


def profile_lines(
    path: str,
    profile: Profile,
    compared: PlanComparison,
    width: int,
    *,
    against: bool,
    input_shapes: InputShapes | None = None,
) -> Iterator[Text | str]:
    """The lines of the report.

    Args:
        path: the model.
        profile: what was executed.
        compared: the same beside the plan.
        width: columns of the terminal.
        against: whether to show what was predicted.
        input_shapes: the sizes that it was run at; None where the model leaves none open.
    """
    where = f" on {profile.processor}{' (emulated)' if profile.emulated else ''}"
    yield shorten(path, max(width - len(where), 24)) + where
    yield ""
    if not profile.ok:
        failure = f"{profile.status.replace('-', ' ')}: {profile.detail}"
        yield from wrapped(failure, width, first="  ", rest="    ")
        if against:
            yield f"  predicted for {compared.target}: {compared.predicted.value.replace('_', ' ')}"
        return
    if profile.emulated:
        yield "  Operators and numbers are real, times are not: the processor is emulated."
    elif compared.target == "x86-avx":
        yield "  XNNPACK never runs sparse kernels on x86 with AVX; --emulate shows them."
    sizes = sizes_words(input_shapes, "Run")
    if sizes:
        yield from wrapped(f"{sizes}.", width, first="  ", rest="  ")
    yield from ("", *_totals(profile), "")
    yield from _against(compared, width) if against else _operators(profile, compared, width)


def _totals(profile: Profile) -> Iterator[str]:
    total = profile.microseconds or 1.0
    sparse = [operator for operator in profile.operators if operator.sparse]
    outside = [operator for operator in profile.operators if not operator.delegated]
    dense = len(profile.operators) - len(sparse) - len(outside)
    yield f"  {len(profile.operators)} operators, median of {count_of(profile.runs, 'run')}"
    for name, count, part in (
        ("sparse kernels", len(sparse), sum(o.microseconds for o in sparse)),
        ("other XNNPACK", dense, None),
        ("outside XNNPACK", len(outside), sum(o.microseconds for o in outside)),
    ):
        if count:
            rest = total - sum(o.microseconds for o in (*sparse, *outside))
            time = rest if part is None else part
            share = rounded_percent(time / total, 1)
            yield f"  {name:16} {count:4}   {time / 1000:9.3f} ms   {share:>7}"


def _operators(profile: Profile, compared: PlanComparison, width: int) -> Iterator[Text]:
    total = profile.microseconds or 1.0
    # Rows are in the order of execution, subgraph by subgraph.
    owners: dict[int, deque[str]] = defaultdict(deque)
    for row in compared.rows:
        if row.executed and row.delegated:
            agrees = row.executed == row.predicted
            owners[row.subgraph].append((row.operator or "") if agrees else "")
    outside = deque(row.operator or "" for row in compared.rows if not row.delegated)
    columns = [
        Column("#", right=True),
        Column("executed"),
        Column("operator of the model", gives_way=True),
        Column("ms", right=True),
        Column("share", right=True),
    ]
    rows = []
    for place, operator in enumerate(profile.operators):
        waiting = owners[operator.subgraph] if operator.delegated else outside
        owner = waiting.popleft() if waiting else ""
        rows.append(
            [
                str(place),
                operator.name if operator.delegated else "(TFLite)",
                owner,
                f"{operator.microseconds / 1000:.3f}",
                rounded_percent(operator.microseconds / total, 1),
            ]
        )
    yield from table(columns, rows, width)


def _against(compared: PlanComparison, width: int) -> Iterator[Text | str]:
    agree = "as predicted" if compared.agree else "NOT as predicted"
    yield f"  {agree} for {compared.target}: {compared.predicted.value.replace('_', ' ')}"
    yield ""
    columns = [
        Column(""),
        Column("executed", gives_way=True),
        Column("predicted"),
    ]
    rows = [
        [" " if row.agrees else "!", row.executed or "-", row.predicted or "-"]
        for row in compared.rows
        if row.delegated
    ]
    yield from table(columns, rows, width)
