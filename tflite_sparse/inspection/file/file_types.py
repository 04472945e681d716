"""What an inspection says about the file as a whole."""

from __future__ import annotations

from tflite_sparse.flatbuffer.appended import AppendedKind
from tflite_sparse.records import Count, Record

__all__ = [
    "AppendedFacts",
    "ByteShares",
    "FileFacts",
    "MetadataFacts",
    "OperatorCount",
    "SignatureFacts",
    "SubgraphFacts",
    "TensorFacts",
]


class TensorFacts(Record, frozen=True):
    """An input or output of a subgraph or signature.

    Attributes:
        name: the tensor's name, or the name that a signature gives it.
        type: element type by the schema's name.
        shape: sizes, -1 for a dynamic one.
    """

    name: str
    type: str
    shape: tuple[int, ...]


class SubgraphFacts(Record, frozen=True):
    """A subgraph.

    Attributes:
        index: its position; 0 is the main one.
        name: its name, "" where it has none.
        operators: number of operators.
        tensors: number of tensors.
        inputs: what the caller sets.
        outputs: what the caller gets.
    """

    index: Count
    name: str
    operators: Count
    tensors: Count
    inputs: tuple[TensorFacts, ...]
    outputs: tuple[TensorFacts, ...]


class SignatureFacts(Record, frozen=True):
    """A named entry point.

    Attributes:
        key: its name.
        subgraph: the subgraph that it runs.
        inputs: its inputs by the signature's names.
        outputs: its outputs by the signature's names.
    """

    key: str
    subgraph: Count
    inputs: tuple[TensorFacts, ...]
    outputs: tuple[TensorFacts, ...]


class OperatorCount(Record, frozen=True):
    """How often a kind of operator occurs.

    Attributes:
        name: name by the schema; of a custom operator its own name.
        custom: whether it is a custom operator.
        count: number of operators.
        macs: multiply-accumulate operations of all of them.
    """

    name: str
    custom: bool
    count: Count
    macs: Count


class MetadataFacts(Record, frozen=True):
    """A named blob.

    Attributes:
        name: its name, such as "TFLITE_METADATA".
        bytes: its size.
    """

    name: str
    bytes: Count


class AppendedFacts(Record, frozen=True):
    """Bytes after the flatbuffer.

    Attributes:
        offset: where they start.
        bytes: how many there are.
        zip: whether they are a zip archive.
        files: names of the files in that archive.
        kind: what they are; what is unknown cannot be moved.
    """

    offset: Count
    bytes: Count
    zip: bool
    files: tuple[str, ...]
    kind: AppendedKind = AppendedKind.UNKNOWN


class ByteShares(Record, frozen=True):
    """Where the bytes of the file go; the parts but `external` add up to its size.

    Attributes:
        weights: values, segments and indices of the weights, shared ones once.
        constants: data of all other constants.
        metadata: the named blobs.
        appended: bytes after the flatbuffer that belong to no table.
        custom_options: options of custom operators, such as a program for an accelerator.
        structure: everything else: tables, names, padding.
        external: how many of the bytes of weights and constants lie outside the flatbuffer.
    """

    weights: Count
    constants: Count
    metadata: Count
    appended: Count
    custom_options: Count
    structure: Count
    external: Count


class FileFacts(Record, frozen=True):
    """What the file says about itself.

    Attributes:
        schema_version: version of the schema.
        description: free text.
        read_only: why the tool cannot rewrite the file, None where it can.
        subgraphs: the subgraphs.
        signatures: the named entry points.
        operators: kinds of operators, the most frequent first.
        metadata: the named blobs.
        appended: what lies after the flatbuffer.
        bytes: where the bytes go.
    """

    schema_version: int
    description: str
    read_only: str | None
    subgraphs: tuple[SubgraphFacts, ...]
    signatures: tuple[SignatureFacts, ...]
    operators: tuple[OperatorCount, ...]
    metadata: tuple[MetadataFacts, ...]
    appended: tuple[AppendedFacts, ...]
    bytes: ByteShares
