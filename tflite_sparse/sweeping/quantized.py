"""A model in which weights and activations are int8, made by ai-edge-quantizer."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import logging
from typing import TYPE_CHECKING

from tflite_sparse.errors import RuntimeFailureError, RuntimeUnavailableError
from tflite_sparse.flatbuffer.table import Table
from tflite_sparse.rewrite.storage.densify import densify
from tflite_sparse.storage.options import DensifyOptions
from tflite_sparse.storage.values.options import StoredValues

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tflite_sparse.model import Model
    from tflite_sparse.runtime.observations import Outputs

__all__ = ["full_int8", "require_quantizer"]

_PACKAGE = "ai_edge_quantizer"
_KEY = "serving_default"


def require_quantizer() -> None:
    """Makes sure that ai-edge-quantizer is installed.

    Raises:
        RuntimeUnavailableError: it is not.
    """
    if importlib.util.find_spec(_PACKAGE) is None:
        raise RuntimeUnavailableError(
            "ai-edge-quantizer is not installed", hint="pip install 'tflite-sparse[rivals]'"
        )


def full_int8(model: Model, inputs: Sequence[Outputs]) -> bytes:
    """A model with int8 weights and activations; its inputs and outputs stay as they are.

    Args:
        model: the float model; it stays as it is.
        inputs: sets of inputs by position, by which ranges are found.

    Raises:
        RuntimeUnavailableError: ai-edge-quantizer is not installed.
        RuntimeFailureError: it cannot quantize the model.
    """
    require_quantizer()
    from ai_edge_quantizer import qtyping, quantizer, recipe

    # It takes only weights that operators read as they are stored.
    plain = densify(model.copy(), DensifyOptions(values=StoredValues.FP32)).model
    named, key, names = _with_signature(plain)
    # It goes through them more than once.
    feeds = [{names[int(place)]: value for place, value in feed.items()} for feed in inputs]
    try:
        with _quiet():
            tool = quantizer.Quantizer(named.to_bytes())
            tool.load_quantization_recipe(recipe.static_wi8_ai8())
            for kind in ("INPUT", "OUTPUT"):
                operation = qtyping.TFLOperationName[kind]
                tool.update_quantization_recipe(".*", operation, algorithm_key="no_quantize")
            ranges = tool.calibrate({key: feeds}, num_threads=1)
            return bytes(tool.quantize(ranges).quantized_model)
    except Exception as error:
        # It is another's code, and raises whatever it comes to.
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise RuntimeFailureError(f"ai-edge-quantizer fails: {reason[:200]}") from error


def _with_signature(model: Model) -> tuple[Model, str, list[str]]:
    """(a copy that has a signature, its key, the names of its inputs by their positions)."""
    for signature in model.signatures:
        by_tensor = {tensor: name for name, tensor in signature.inputs}
        if all(tensor in by_tensor for tensor in model.main.inputs):
            return model, signature.key, [by_tensor[tensor] for tensor in model.main.inputs]
    copy = model.copy()
    table = Table("SignatureDef")
    table["inputs"] = [_entry(f"x{i}", t.index) for i, t in enumerate(copy.main.inputs)]
    table["outputs"] = [_entry(f"y{i}", t.index) for i, t in enumerate(copy.main.outputs)]
    table["signature_key"] = _KEY
    table["subgraph_index"] = copy.main.index
    copy.table["signature_defs"] = [table]
    # It is read anew, so that its signature is one of its own.
    memory = io.BytesIO()
    copy.file.write(memory)
    fresh = type(copy).read(memory.getvalue())
    return fresh, _KEY, [f"x{i}" for i in range(len(fresh.main.inputs))]


def _entry(name: str, tensor: int) -> Table:
    table = Table("TensorMap")
    table["name"] = name
    table["tensor_index"] = tensor
    return table


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps what other libraries print from standard output."""
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.disable(level)
