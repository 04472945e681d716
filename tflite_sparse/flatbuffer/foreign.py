"""Says what a file is that is not a .tflite file, so that the error names the real mistake."""

from __future__ import annotations

from tflite_sparse.errors import FileError, Place

__all__ = ["refuse_foreign"]

# (magic bytes, where they stand, what the file is, what to do)
_MAGIC: tuple[tuple[bytes, int, str, str], ...] = (
    (
        b"version https://git-lfs.github.com/",
        0,
        "a Git LFS pointer, not the model itself",
        "fetch the model with 'git lfs pull'",
    ),
    (b"\x89PNG\r\n\x1a\n", 0, "a PNG picture", ""),
    (b"\xff\xd8\xff", 0, "a JPEG picture", ""),
    (
        b"PK\x03\x04",
        0,
        "a zip archive",
        "if it is a model bundle (.task, .keras, .zip), unpack it and pass the .tflite inside",
    ),
    (b"\x1f\x8b", 0, "gzip-compressed data", "unpack it with gunzip first"),
    (b"\x28\xb5\x2f\xfd", 0, "zstd-compressed data", "unpack it with unzstd first"),
    (
        b"\x89HDF\r\n\x1a\n",
        0,
        "an HDF5 file (a Keras .h5 model?)",
        "convert it to .tflite with the TensorFlow Lite converter",
    ),
    (b"LITERTLM", 0, "a LiteRT-LM bundle", "extract the .tflite models inside first"),
    (b"GGUF", 0, "a GGUF model", ""),
    (b"\x7fELF", 0, "an ELF binary", ""),
    (b"%PDF", 0, "a PDF document", ""),
    (b"\x80\x02", 0, "a Python pickle (a PyTorch model?)", ""),
    (b"CIR0", 4, "a circle model of the ONE compiler", "convert it to .tflite first"),
)
_TEXT_SAMPLE = 512
_SHORTEST = 8  # root offset and identifier
_PRINTABLE = frozenset(range(0x20, 0x7F)) | {9, 10, 12, 13}


def refuse_foreign(head: bytes, size: int, identifier: bytes, name: str | None) -> None:
    """Raises where a file cannot be a .tflite file.

    Args:
        head: the first bytes of the file; 512 are enough.
        size: size of the whole file in bytes.
        identifier: the four bytes that stand at offset 4 of every file of the format.
        name: the file's name for the error.

    Raises:
        FileError: the file is empty, too short, or of another kind.
    """
    place = Place(file=name)
    if size == 0:
        raise FileError("the file is empty", place=place)
    if head[4:8] == identifier:
        return
    for magic, start, kind, hint in _MAGIC:
        if head[start : start + len(magic)] == magic:
            raise FileError(
                f"not a .tflite model but {kind}", place=place, hint=hint or _expected(identifier)
            )
    sample = head[:_TEXT_SAMPLE]
    if all(byte in _PRINTABLE for byte in sample):
        raise FileError(
            "not a .tflite model but a text file", place=place, hint=_expected(identifier)
        )
    if size < _SHORTEST:
        raise FileError(
            f"too short for a .tflite model: {size} bytes", place=place, hint=_expected(identifier)
        )
    stated = head[4:8]
    plain = stated.isascii() and stated.isalnum()
    shown = repr(stated.decode("ascii")) if plain else stated.hex(" ")
    raise FileError(
        f"not a .tflite model: the file identifier is {shown}",
        place=Place(file=name, offset=4),
        hint=_expected(identifier),
    )


def _expected(identifier: bytes) -> str:
    return f"a .tflite file has {identifier.decode('ascii')!r} at offset 4"
