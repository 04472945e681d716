"""5xx: where the model does not run, or not as it should."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.lint.finding import Hit, Severity, Spot
from tflite_sparse.lint.fixers.cleanup import align_buffers, raise_version
from tflite_sparse.lint.rule import rule
from tflite_sparse.rewrite.writing.runtime_version import needed_version, stated_version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.lint.subject import Subject

_ALIGNMENT = 16
_LENGTH = 4


@rule(
    "TFS501",
    "densify-elsewhere",
    Severity.NOTE,
    what="The model has DENSIFY operators, which not everything reads: not the GPU delegate of"
    " LiteRT, not the NPU plugins, not TFLite Micro, not most converters to ONNX; quantizers skip"
    " the weights behind them.",
    why="There the model does not load, runs on the processor instead, or stays unquantized.",
    fix="Keep the dense model for these, and quantize before making it sparse.",
    command="tflite-sparse densify MODEL -o OUT",
)
def densify_elsewhere(subject: Subject) -> Iterator[Hit]:
    """Models with DENSIFY."""
    count = sum(operator.name == "DENSIFY" for operator in subject.model.operators())
    if count:
        yield Hit(
            f"{count} DENSIFY operator{'s' if count > 1 else ''}: CPU with XNNPACK and the browser"
            " read them; GPU and NPU delegates, microcontrollers, converters and quantizers do not",
            data={"operators": count},
        )


@rule(
    "TFS502",
    "min-runtime-version",
    Severity.ERROR,
    what="The metadata min_runtime_version names an older runtime than the sparse operators of the"
    " model need.",
    why="A runtime that trusts it loads the model and fails.",
    fix="Raise the version.",
    fixers=(raise_version,),
)
def runtime_version(subject: Subject) -> Iterator[Hit]:
    """Versions that are too low."""
    stated, needed = stated_version(subject.model), needed_version(subject.model)
    if stated is not None and needed is not None and stated < needed:
        yield Hit(
            f"min_runtime_version says {'.'.join(map(str, stated))}, the model needs"
            f" {'.'.join(map(str, needed))}",
            data={"stated": list(stated), "needed": list(needed)},
        )


@rule(
    "TFS503",
    "alignment",
    Severity.NOTE,
    what="Buffers do not start at a multiple of 16 bytes, as the format asks.",
    why="Runtimes that use weights where they lie may copy them first, or refuse the model.",
    fix="Write the file anew; every rewrite of this tool aligns all buffers.",
    fixers=(align_buffers,),
)
def alignment(subject: Subject) -> Iterator[Hit]:
    """Data at odd places."""
    odd = 0
    for buffer in subject.model.buffers:
        if not buffer.nbytes:
            continue
        start = buffer.table["offset"] if buffer.external else None
        if start is None:
            at = buffer.table.location("data")
            start = None if at is None else at + _LENGTH
        odd += start is not None and start % _ALIGNMENT != 0
    if odd:
        yield Hit(
            f"{odd} buffer{'s' if odd > 1 else ''} not aligned to {_ALIGNMENT} bytes",
            data={"buffers": odd},
        )


@rule(
    "TFS504",
    "densify-stays",
    Severity.WARNING,
    what="An operator outside XNNPACK reads the output of a DENSIFY.",
    why="TFLite unpacks the weight at load time into memory that is never freed: the dense weight"
    " and the sparse one both stay.",
    fix="Store the weights of this operator dense.",
    command="tflite-sparse densify --only TENSOR MODEL -o OUT",
)
def densify_stays(subject: Subject) -> Iterator[Hit]:
    """DENSIFY that TFLite runs."""
    seen: set[tuple[int, int]] = set()
    for group in subject.inspection.runtime:
        for operator in group.operators:
            key = (group.subgraph, operator.index)
            if operator.name != "DENSIFY" or operator.delegated or key in seen:
                continue
            seen.add(key)
            densify = subject.operator(*key)
            size = densify.outputs[0].dense_nbytes if densify.outputs else None
            yield Hit(
                f"stays in TFLite and keeps {size or 0:,} bytes of dense weights in memory",
                Spot.of_operator(densify, densify.inputs[0] if densify.inputs else None),
                {"bytes": size or 0},
            )
