"""A whole file: read into a tree of tables, written from one."""

from __future__ import annotations

import mmap
from itertools import zip_longest
from typing import IO, TYPE_CHECKING, Any

import msgspec

from tflite_sparse.errors import Place, RewriteError
from tflite_sparse.files.remote import fetch, is_remote
from tflite_sparse.flatbuffer.appended import Appended, AppendedKind, find_appended, relocated
from tflite_sparse.flatbuffer.byte_code import ByteCode, find_byte_code, set_offset
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

    from tflite_sparse.flatbuffer.byte_layout import Layout, Piece

__all__ = ["FlatFile"]

_CHUNK = 16 * 2**20


class FlatFile(msgspec.Struct, frozen=True):
    """A file as a tree of tables.

    Attributes:
        root: the root table.
        source: the bytes the tree was read from, or None for a new file.
        verified: what the verifier found, or None for a new file.
        appended: runs of bytes after the flatbuffer that belong to no table.
        byte_code: the tables that name one of these runs, or should, by its place.
    """

    root: Table
    source: Source | None = None
    verified: Verified | None = None
    appended: tuple[Appended, ...] = ()
    byte_code: tuple[ByteCode, ...] = ()

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
        elif isinstance(file, str) and is_remote(file):
            source = Source(fetch(file), name=name or file)
        else:
            source = Source.open(file)
        layout = schema()
        refuse_foreign(source.raw(0, 512), source.size, layout.identifier, source.name)
        verified = verify(source, layout)
        root = Table.at(source, layout.root, int.from_bytes(source.raw(0, 4), "little"))
        byte_code = find_byte_code(root, source)
        appended = find_appended(source, verified, byte_code)
        return cls(root, source, verified, appended, byte_code)

    def copy(self) -> FlatFile:
        """The file a second time as it was read, with tables of its own.

        Raises:
            ValueError: the file was never read.
        """
        if self.source is None or self.root.offset is None:
            raise ValueError("only a file that was read can be read again")
        root = Table.at(self.source, self.root.definition, self.root.offset)
        byte_code = find_byte_code(root, self.source)
        return FlatFile(root, self.source, self.verified, self.appended, byte_code)

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
            raise RewriteError(self.read_only, place=self._place, hint="upgrade tflite-sparse")
        layout = self.layout()
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
        for run, start in layout.appended:
            file.write(bytes(start - cursor))
            _stream(relocated(run, start), file)
            cursor = start + run.data.size
        return cursor

    def layout(self, *, to_write: bool = True) -> Layout:
        """Where everything will stand; the tables that name byte code by its place name that place.

        Args:
            to_write: whether it will be written; otherwise what cannot be written has a layout too.

        Raises:
            RewriteError: bytes behind the flatbuffer cannot be moved, or nobody knows where to.
        """
        if to_write:
            self._refuse_lost_byte_code()
        while True:
            layout = lay_out(self.root, schema().identifier, self.source)
            for run in self.appended:
                start = run.place_after(layout.size)
                if to_write and start != run.start:
                    self._refuse_unknown(run)
                layout.appended.append((run, start))
                layout.size = start + run.data.size
            # An offset that needs more room than before moves what follows.
            moved = [self._follow(code, layout) for code in self.byte_code]
            if not any(moved):
                return layout

    def _follow(self, code: ByteCode, layout: Layout) -> bool:
        """Makes a table name the place where its byte code will lie; whether it did not before."""
        for run, start in layout.appended:
            if run.holds(code):
                try:
                    return set_offset(code, start + code.start - run.start)
                except OverflowError:
                    raise RewriteError(
                        f"{code.who} has no room for the offset of byte code at {start:,}",
                        place=self._place,
                    ) from None
        return False

    def _refuse_lost_byte_code(self) -> None:
        for code in self.lost_byte_code:
            raise RewriteError(
                f"{code.who} says that byte code lies at {code.start:,} to"
                f" {code.start + code.size:,}, which is not behind the model's tables",
                place=self._place,
                hint="compile the model for its NPU again, after it was rewritten",
            )

    def _refuse_unknown(self, run: Appended) -> None:
        if run.kind is AppendedKind.UNKNOWN:
            raise RewriteError(
                f"{run.data.size:,} bytes of an unknown kind are appended to the model, which would"
                " have to move, and nothing says who refers to their place in the file",
                place=Place(file=self.source.name if self.source else None, offset=run.start),
                hint=f"cut them off with 'head -c {run.start}', and append them again afterwards",
            )

    @property
    def lost_byte_code(self) -> tuple[ByteCode, ...]:
        """The tables that name byte code where there is none: in the flatbuffer or past the end."""
        return tuple(c for c in self.byte_code if not any(run.holds(c) for run in self.appended))

    @property
    def _place(self) -> Place:
        return Place(file=self.source.name if self.source else None)


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
