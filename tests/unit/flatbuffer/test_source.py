"""The bytes of a file, and the memory that reading them holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tflite_sparse.flatbuffer.source import Source

SIZE = 64 * 2**20


def resident() -> int:
    """Bytes of mapped files that this process holds, as Linux tells them."""
    status = Path("/proc/self/status").read_text("ascii")
    return 1024 * int(status.split("RssFile:")[1].split()[0])


def test_pages_that_were_read_are_let_go_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * (SIZE // 256))
    source = Source.open(path)
    before = resident()
    total = int(source.data.sum(dtype=np.int64))
    held = resident() - before
    source.passed(1)
    assert resident() - before > SIZE // 2, "little was read, so all is kept"
    source.passed(SIZE)
    assert resident() - before < held // 4
    assert int(source.data.sum(dtype=np.int64)) == total


def test_bytes_in_memory_are_kept() -> None:
    source = Source(b"bytes")
    source.passed(SIZE)
    assert source.data.tobytes() == b"bytes"
