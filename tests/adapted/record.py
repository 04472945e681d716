"""Records the table of adapted models: python -m tests.adapted.record [NAME...].

Without names all models are recorded anew, which takes some twenty minutes; with names only those.
Times are worth something on a machine that does nothing else.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from tests.adapted.proof import adapted, facts, in_browser, on_litert, sparse_as_it_is
from tests.adapted.subjects import SUBJECTS
from tests.adapted.table import gain, read, write
from tflite_sparse.runtime import processor
from tflite_sparse.runtime.litert import litert_version
from tflite_sparse.runtime.litertjs import CORE

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["main"]


def main(wanted: Iterable[str]) -> None:
    """Records models; all of them where none is named."""
    names = list(wanted) or list(SUBJECTS)
    for name in names:
        start = time.monotonic()
        subject = SUBJECTS[name]
        dense = subject.dense()
        sparse = sparse_as_it_is(dense)
        made, why = adapted(dense)
        row = {"source": subject.source, **facts(dense, sparse, made)}
        row.update(on_litert(subject, dense, made))
        if "failure" not in row:
            row["web_ms"] = in_browser({"dense": dense, "sparse": sparse, "adapted": made})
        row["why"] = why
        recorded = read()
        recorded["runtime"] = (
            f"LiteRT {litert_version()} and LiteRT.js {CORE.version} on {processor.name()}."
        )
        rows = {**recorded["models"], name: row}
        recorded["models"] = {known: rows[known] for known in SUBJECTS if known in rows}
        write(recorded)
        said = {"gain": gain(row), **{key: row.get(key) for key in ("web_ms", "difference", "why")}}
        took = time.monotonic() - start
        print(f"{name} ({took:.0f} s): {row['outcome']['wasm']} {said}", flush=True)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
