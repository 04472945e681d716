"""5xx: where the model does not run, or not as it should."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.lint.finding import Hit, Severity, Spot
from tflite_sparse.lint.fixers.cleanup import align_buffers, raise_version
from tflite_sparse.lint.rule import FIX, rule
from tflite_sparse.model.sizes.asked import entries, open_shape, shown_open
from tflite_sparse.model.sizes.sized import input_shapes_of, size_options
from tflite_sparse.model.uses import trace_constant
from tflite_sparse.rewrite.writing.runtime_version import (
    DEQUANTIZE_CHANNELS_VERSION,
    needed_version,
    stated_version,
)
from tflite_sparse.words.names import readable
from tflite_sparse.xnnpack.releases.runtimes import LITERTJS_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.lint.subject import Subject
    from tflite_sparse.model import Operator, Tensor

_ALIGNMENT = 16
_LENGTH = 4
_BROWSER = "wasm"


@rule(
    "TFS501",
    "densify-elsewhere",
    Severity.NOTE,
    what="The model has DENSIFY operators, which not everything reads: not the GPU delegate of"
    " LiteRT, not the NPU plugins, not TFLite Micro, not most converters to ONNX; quantizers skip"
    " the weights behind them.",
    why="There the model does not load, runs on the processor instead, or stays unquantized.",
    fix="Keep the dense model for these, and quantize before making it sparse.",
    command="tflite-sparse densify MODEL -o DENSE_MODEL",
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
    command=FIX,
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
    command=FIX,
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


@rule(
    "TFS505",
    "not-for-litertjs",
    Severity.NOTE,
    what="LiteRT.js does not run the model: an input leaves its batch or another size open, or an"
    " input or output has elements of another type than float32, int32 and uint8. It is a warning"
    " where the browser is the only target.",
    why="In a page loading it throws an error, or running it does: 'does not match expected ranked"
    " tensor type', 'Element type INT8 is not supported'. Models that Keras exports by default have"
    " an open batch.",
    fix="Fix the sizes, all of them: with --input-shape where more than the batch is open; convert"
    " with float32 inputs and outputs.",
    command="tflite-sparse optimize --batch 1 MODEL -o OUT",
)
def not_for_litertjs(subject: Subject) -> Iterator[Hit]:
    """Inputs and outputs that LiteRT.js does not take."""
    targets = subject.settings.targets
    if _BROWSER not in targets:
        return
    severity = Severity.WARNING if set(targets) == {_BROWSER} else None
    for graph in entries(subject.model):
        for tensor in graph.inputs:
            shape = open_shape(tensor)
            if -1 in shape:
                yield Hit(
                    f"input is {shown_open(shape)}: LiteRT.js takes no open sizes",
                    Spot.of_tensor(tensor),
                    {"shape": list(shape)},
                    severity=severity,
                )
        for tensor in dict.fromkeys((*graph.inputs, *graph.outputs)):
            if tensor.type not in LITERTJS_TYPES:
                yield Hit(
                    f"has elements of type {tensor.type}: LiteRT.js has no tensors of these",
                    Spot.of_tensor(tensor),
                    {"type": tensor.type},
                    severity=severity,
                )


@rule(
    "TFS506",
    "size-not-known",
    Severity.NOTE,
    what="The file leaves sizes other than the batch open, and none was given: everything that is"
    " said of the model holds for a size that this tool has chosen.",
    why="Times, multiplications, and with some operators what runs sparse, depend on the size.",
    fix="Give the size that the app uses: --input-shape, or input-shapes in the configuration.",
    command="tflite-sparse lint --input-shape 1,64,64,3 MODEL",
)
def size_not_known(subject: Subject) -> Iterator[Hit]:
    """Models of a size that nobody has given."""
    sizes = input_shapes_of(subject.model)
    if not any(entry.source == "default" for entry in sizes.inputs):
        return
    more = f"; {sizes.unknown}" if sizes.unknown else ""
    yield Hit(
        f"the file leaves {sizes.open_words} open; looked at with {sizes.words}{more}",
        data={"shapes": [list(entry.shape) for entry in sizes.inputs]},
        command=f"tflite-sparse lint {size_options(subject.model)} MODEL",
    )


@rule(
    "TFS507",
    "int8-values-elsewhere",
    Severity.NOTE,
    what="Weights are stored as int8 with a scale for each channel and unpacked by DEQUANTIZE"
    " version 5, which every LiteRT reads, and TensorFlow Lite from 2.7 on.",
    why="An older runtime refuses the model; other delegates and converters may unpack the weights"
    " at every run, or take the model for a quantized one.",
    fix="Keep a model with fp32 weights for these.",
    command="tflite-sparse densify --values fp32 MODEL -o FP32_MODEL",
)
def int8_values_elsewhere(subject: Subject) -> Iterator[Hit]:
    """Models with constants behind DEQUANTIZE version 5."""
    count = sum(_unpacks_channels(operator) for operator in subject.model.operators())
    if count:
        yield Hit(
            f"{count} weight{'s' if count > 1 else ''} of int8 behind DEQUANTIZE version 5, which"
            " every LiteRT reads, and TensorFlow Lite from 2.7 on",
            data={"operators": count},
        )


def _unpacks_channels(operator: Operator) -> bool:
    if operator.name != "DEQUANTIZE" or operator.version < DEQUANTIZE_CHANNELS_VERSION:
        return False
    use = trace_constant(operator, 0)
    return use is not None and use.constant.type == "INT8"


@rule(
    "TFS508",
    "duplicate-io-names",
    Severity.ERROR,
    what="The model has no signature, and two of its inputs, or two of its outputs, have one name.",
    why="LiteRT's C API ends the process when it loads the model ('basic_string::_M_construct null"
    " not valid'). The interpreter runs it.",
    fix="Give each its own name, or convert with a signature.",
)
def duplicate_io_names(subject: Subject) -> Iterator[Hit]:
    """Names that several inputs, or several outputs, share."""
    model = subject.model
    if model.signatures or not model.subgraphs:
        return
    for what, tensors in (("inputs", model.main.inputs), ("outputs", model.main.outputs)):
        namesakes: dict[str, list[Tensor]] = {}
        for tensor in dict.fromkeys(tensors):
            namesakes.setdefault(tensor.name, []).append(tensor)
        for name, alike in namesakes.items():
            if name and len(alike) > 1:
                yield Hit(
                    f"{len(alike)} {what} are called {readable(name)!r}",
                    Spot.of_tensor(alike[1]),
                    {"count": len(alike)},
                )
