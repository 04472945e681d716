"""What a file says about itself, and where its bytes go."""

from __future__ import annotations

import io
import struct
import zipfile
from typing import TYPE_CHECKING

from tflite_sparse.flatbuffer.external import external_range
from tflite_sparse.inspection.file.file_types import (
    AppendedFacts,
    ByteShares,
    FileFacts,
    MetadataFacts,
    OperatorCount,
    SignatureFacts,
    SubgraphFacts,
    TensorFacts,
)
from tflite_sparse.model.macs import macs
from tflite_sparse.model.sparse import stored_bytes
from tflite_sparse.words.names import readable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tflite_sparse.flatbuffer.appended import Appended
    from tflite_sparse.model import Buffer, Model, Signature, Subgraph, Tensor
    from tflite_sparse.model.weights import Weight

__all__ = ["byte_shares", "file_facts"]

# The directory of a zip archive stands at its end.
_ZIP_TAIL = 4 * 2**20


def file_facts(model: Model, weights: Iterable[Weight]) -> FileFacts:
    """What the file says about itself.

    Args:
        model: the model.
        weights: its weights, for where the bytes go.
    """
    return FileFacts(
        schema_version=model.version,
        description=readable(model.description),
        read_only=model.read_only,
        subgraphs=tuple(_subgraph(subgraph) for subgraph in model.subgraphs),
        signatures=tuple(_signature(signature) for signature in model.signatures),
        operators=_operator_counts(model),
        metadata=tuple(
            MetadataFacts(readable(entry.name), entry.buffer.nbytes) for entry in model.metadata
        ),
        appended=tuple(_appended(run) for run in model.appended),
        bytes=byte_shares(model, weights),
    )


def byte_shares(model: Model, weights: Iterable[Weight]) -> ByteShares:
    """Where the bytes of the file go; a buffer that several tensors share counts once."""
    counted: set[Buffer] = set()
    external = 0

    def once(buffer: Buffer, size: int) -> int:
        nonlocal external
        if buffer in counted:
            return 0
        counted.add(buffer)
        external += buffer.nbytes if buffer.external else 0
        return size

    weight_bytes = sum(once(w.tensor.buffer, stored_bytes(w.tensor)) for w in weights)
    blobs = sum(once(entry.buffer, entry.buffer.nbytes) for entry in model.metadata)
    constants = sum(once(buffer, buffer.nbytes) for buffer in model.buffers)
    appended = sum(int(run.data.size) for run in model.appended)
    options = _custom_options(model)
    rest = model.size - weight_bytes - blobs - constants - appended - options
    return ByteShares(
        weights=weight_bytes,
        constants=constants,
        metadata=blobs,
        appended=appended,
        custom_options=min(options, model.size),
        # Two buffers of a hostile file may claim the same bytes.
        structure=max(rest, 0),
        external=external,
    )


def _custom_options(model: Model) -> int:
    """Bytes of the options of custom operators, wherever they lie; shared ones once."""
    sizes: dict[object, int] = {}
    for operator in model.operators():
        outside = external_range(operator.table)
        if outside is not None:
            sizes[outside] = outside[1]
            continue
        options = operator.table["custom_options"]
        if options is not None:
            location = operator.table.location("custom_options")
            sizes[operator if location is None else location] = int(options.nbytes)
    return sum(sizes.values())


def _tensor(tensor: Tensor, name: str | None = None) -> TensorFacts:
    return TensorFacts(
        name=readable(tensor.name if name is None else name),
        type=tensor.type,
        shape=tensor.shape_signature or tensor.shape,
    )


def _subgraph(subgraph: Subgraph) -> SubgraphFacts:
    return SubgraphFacts(
        index=subgraph.index,
        name=readable(subgraph.name),
        operators=len(subgraph.operators),
        tensors=len(subgraph.tensors),
        inputs=tuple(_tensor(tensor) for tensor in subgraph.inputs),
        outputs=tuple(_tensor(tensor) for tensor in subgraph.outputs),
    )


def _signature(signature: Signature) -> SignatureFacts:
    return SignatureFacts(
        key=readable(signature.key),
        subgraph=signature.subgraph.index,
        inputs=tuple(_tensor(tensor, name) for name, tensor in signature.inputs),
        outputs=tuple(_tensor(tensor, name) for name, tensor in signature.outputs),
    )


def _operator_counts(model: Model) -> tuple[OperatorCount, ...]:
    counts: dict[tuple[str, bool], tuple[int, int]] = {}
    for operator in model.operators():
        custom = operator.custom_code
        key = (readable(custom or operator.name), custom is not None)
        number, total = counts.get(key, (0, 0))
        counts[key] = (number + 1, total + macs(operator))
    ordered = sorted(counts.items(), key=lambda item: (-item[1][0], item[0]))
    return tuple(
        OperatorCount(name, custom, number, total) for (name, custom), (number, total) in ordered
    )


def _appended(run: Appended) -> AppendedFacts:
    tail = run.data[-_ZIP_TAIL:].tobytes()
    names: tuple[str, ...] = ()
    is_zip = True
    try:
        with zipfile.ZipFile(io.BytesIO(tail)) as archive:
            names = tuple(readable(name) for name in archive.namelist())
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, struct.error):
        is_zip = False
    return AppendedFacts(run.start, int(run.data.size), is_zip, names, run.kind)
