"""A profile for people."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING

from tflite_sparse.report.input_shapes import sizes_words
from tflite_sparse.report.names import shorten
from tflite_sparse.report.signatures import left_out
from tflite_sparse.report.text.table import Column, table
from tflite_sparse.words.numbers import count_of, rounded_percent
from tflite_sparse.words.wrapping import wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
    unprofiled: Sequence[str] = (),
) -> Iterator[Text | str]:
    """The lines of the report.

    Args:
        path: the model.
        profile: what was executed.
        compared: the same beside the plan.
        width: columns of the terminal.
        against: whether to show what was predicted.
        input_shapes: the sizes that it was run at; None where the model leaves none open.
        unprofiled: keys of signatures that were not run.
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
        yield from _counting(profile, compared)
    elif compared.target == "x86-avx":
        yield "  XNNPACK never runs sparse kernels on x86 with AVX; --emulate shows them."
    sizes = sizes_words(input_shapes, "Run")
    if sizes:
        yield from wrapped(f"{sizes}.", width, first="  ", rest="  ")
    others = left_out(unprofiled, "profiled")
    if others:
        yield from wrapped(f"{others[0].upper()}{others[1:]}.", width, first="  ", rest="  ")
    yield from ("", *_totals(profile), "")
    yield from _against(compared, width) if against else _operators(profile, compared, width)


def _counting(profile: Profile, compared: PlanComparison) -> Iterator[str]:
    """How instructions are to be read, or why there are none."""
    if profile.instructions is not None:
        yield "  Instructions are exact, and are not time: some take longer than others."
    elif compared.target.startswith("arm64"):
        yield "  No instructions: counting needs a C compiler, as by 'apt install gcc'."


def _counted(profile: Profile) -> bool:
    """Whether the instructions of each of XNNPACK's operators are known."""
    return any(operator.instructions is not None for operator in profile.operators)


def _amounts(profile: Profile) -> list[float]:
    """What each operator takes: instructions where these are known, else microseconds."""
    if _counted(profile):
        return [float(operator.instructions or 0) for operator in profile.operators]
    return [operator.microseconds for operator in profile.operators]


def _totals(profile: Profile) -> Iterator[str]:
    amounts = _amounts(profile)
    total = sum(amounts) or 1.0
    scale, unit = (1e6, "M instructions") if _counted(profile) else (1e3, "ms")
    parts: dict[str, list[float]] = {}
    for operator, amount in zip(profile.operators, amounts, strict=True):
        inside = "sparse kernels" if operator.sparse else "other XNNPACK"
        name = inside if operator.delegated else "outside XNNPACK"
        parts.setdefault(name, []).append(amount)
    yield f"  {len(profile.operators)} operators, median of {count_of(profile.runs, 'run')}"
    for name in ("sparse kernels", "other XNNPACK", "outside XNNPACK"):
        if name in parts:
            part = sum(parts[name])
            share = rounded_percent(part / total, 1)
            yield f"  {name:16} {len(parts[name]):4}   {part / scale:9.3f} {unit}   {share:>7}"
    if profile.instructions is not None:
        yield f"  {'a whole run':16} {'':4}   {profile.instructions / 1e6:9.3f} M instructions"


def _operators(profile: Profile, compared: PlanComparison, width: int) -> Iterator[Text]:
    amounts = _amounts(profile)
    total = sum(amounts) or 1.0
    counted = _counted(profile)
    # Rows are in the order of execution, subgraph by subgraph.
    owners: dict[int, deque[str]] = defaultdict(deque)
    for row in compared.rows:
        if row.executed and row.delegated:
            owners[row.subgraph].append((row.operator or "") if row.agrees else "")
    outside = deque(row.operator or "" for row in compared.rows if not row.delegated)
    columns = [
        Column("#", right=True),
        Column("executed"),
        Column("operator of the model", gives_way=True),
        Column("instructions" if counted else "ms", right=True),
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
                f"{amounts[place]:,.0f}" if counted else f"{amounts[place] / 1000:.3f}",
                rounded_percent(amounts[place] / total, 1),
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
