"""A whole file: read into a tree of tables, written from one."""

from __future__ import annotations

import mmap
from itertools import zip_longest
from typing import IO, TYPE_CHECKING, Any

import msgspec

from tflite_sparse.errors import Place, RewriteError
from tflite_sparse.flatbuffer.appended import Appended, find_appended, relocated
from tflite_sparse.flatbuffer.byte_layout import lay_out
from tflite_sparse.flatbuffer.foreign import refuse_foreign
from tflite_sparse.flatbuffer.payload import Deferred
from tflite_sparse.flatbuffer.schema import schema
from tflite_sparse.flatbuffer.source import Source
from tflite_sparse.flatbuffer.table import Table
from tflite_sparse.flatbuffer.verifier import Verified, verify
from tflite_sparse.threads import in_background

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Future

    from numpy.typing import NDArray

    from tflite_sparse.flatbuffer.byte_layout import Piece

__all__ = ["FlatFile"]

_CHUNK = 16 * 2**20


class FlatFile(msgspec.Struct, frozen=True):
    """A file as a tree of tables.

    Attributes:
        root: the root table.
        source: the bytes the tree was read from, or None for a new file.
        verified: what the verifier found, or None for a new file.
        appended: runs of bytes after the flatbuffer that belong to no table.
    """

    root: Table
    source: Source | None = None
    verified: Verified | None = None
    appended: tuple[Appended, ...] = ()

    @classmethod
    def read(
        cls, file: str | os.PathLike[str] | bytes | mmap.mmap, name: str | None = None
    ) -> FlatFile:
        """Maps, checks and opens a file, or checks and opens bytes in memory.

        Args:
            file: a path, the bytes of a file, or a map of one.
            name: what errors call bytes in memory.

        Raises:
            FileError: the file cannot be read, or is not of the format at all.
            FormatError: the file is damaged.
        """
        if isinstance(file, mmap.mmap):
            source = Source(file, name=name)
        elif isinstance(file, (bytes, bytearray, memoryview)):
            source = Source(bytes(file), name=name)
        else:
            source = Source.open(file)
        layout = schema()
        refuse_foreign(source.raw(0, 512), source.size, layout.identifier, source.name)
        verified = verify(source, layout)
        root = int.from_bytes(source.raw(0, 4), "little")
        return cls(
            Table.at(source, layout.root, root), source, verified, find_appended(source, verified)
        )

    def copy(self) -> FlatFile:
        """The file a second time as it was read, with tables of its own.

        Raises:
            ValueError: the file was never read.
        """
        if self.source is None or self.root.offset is None:
            raise ValueError("only a file that was read can be read again")
        root = Table.at(self.source, self.root.definition, self.root.offset)
        return FlatFile(root, self.source, self.verified, self.appended)

    @property
    def read_only(self) -> str | None:
        """Why the file must not be written again: it has parts unknown to the schema. Or None."""
        if self.verified is None or not self.verified.unknown:
            return None
        first = self.verified.unknown[0]
        return f"this version of the tool does not know {first}, and would lose it"

    def write(self, file: IO[bytes]) -> int:
        """Writes the file: the structure, then every vector straight from its source.

        Args:
            file: a binary file; it is only appended to, so a pipe will do.

        Returns:
            The number of bytes written.

        Raises:
            RewriteError: the file holds something that would be lost.
        """
        if self.read_only is not None:
            name = self.source.name if self.source else None
            raise RewriteError(self.read_only, place=Place(file=name), hint="upgrade tflite-sparse")
        layout = lay_out(self.root, schema().identifier, self.source)
        file.write(layout.structure)
        cursor = len(layout.structure)
        for piece, vector in _computed(layout.pieces):
            lead = piece.start - cursor
            prefix = b"" if piece.external else len(vector).to_bytes(4, "little")
            file.write(bytes(lead - len(prefix)) + prefix)
            _stream(vector, file)
            cursor = piece.start + vector.nbytes
            if self.source is not None:
                self.source.passed(vector.nbytes)
        for run in self.appended:
            _stream(relocated(run, cursor), file)
            cursor += run.data.size
        return cursor


def _computed(pieces: Sequence[Piece]) -> Iterator[tuple[Piece, NDArray[Any]]]:
    """Each piece with its numbers; some are computed while the one before is written."""
    waiting: Future[NDArray[Any]] | None = None
    for piece, after in zip_longest(pieces, pieces[1:]):
        vector = piece.vector
        if waiting is not None:
            vector = waiting.result()
        elif isinstance(vector, Deferred):
            vector = vector.compute()
        ahead = after is not None and isinstance(after.vector, Deferred) and after.vector.ahead
        waiting = in_background(after.vector.compute) if ahead else None
        yield piece, vector


def _stream(vector: NDArray[Any], file: IO[bytes]) -> None:
    view = memoryview(vector).cast("B") if vector.nbytes else memoryview(b"")
    for start in range(0, len(view), _CHUNK):
        file.write(view[start : start + _CHUNK])
