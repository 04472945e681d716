"""Sweeps the nets that sparse inference was made known with, and holds claims to what is found.

usage: python -m benchmarks.sweeps [--bench web|arm64] [--jobs N] [--write] [NET ...]

Each net is swept, all of them unless some are named. What is found goes to benchmarks/sweeps/; the
site of the documentation has a page of each, and docs/sweep.md the tables, which are written anew.
With --bench what was made is run too: in a headless Chromium, which wants a machine at rest, or on
an emulated Cortex-A76, where instructions are counted at three shares of zeros, which do not care.
Without it what was measured is kept for those files that are the same still.

With --write nothing is swept. The median and the largest error of the predictions are printed.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from benchmarks.swept import FOLDER, Swept, read, tables, with_tables
from tests.support.architectures import build
from tests.support.real_models import real_model
from tflite_sparse.library.sweeps import sweep

if TYPE_CHECKING:
    from tflite_sparse.runtime.benched import Here
    from tflite_sparse.sweeping.result import Sweep

REAL = (
    "hand_landmark_full",
    "hand_landmark_lite",
    "selfie_segmentation",
    "selfie_segmentation_landscape",
)
BUILT = (
    "mobilenet_v1",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "mobilenet_v3_large",
    "efficientnet_lite0",
)
COUNTED = (0.7, 0.8, 0.9)
TARGETS = ("arm64", "wasm")
WHERE: dict[str, Here] = {"web": "web", "arm64": "emulated"}
PAGE = Path(__file__).parents[1] / "docs" / "sweep.md"


def main() -> None:
    """Sweeps the nets and writes what is made from them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("nets", nargs="*", default=[*REAL, *BUILT])
    parser.add_argument("--bench", choices=WHERE)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    if not asked.write:
        with tempfile.TemporaryDirectory() as folder:
            for net in asked.nets:
                _keep(net, _swept(net, _model(net, Path(folder)), asked.bench, asked.jobs))
                print(net, flush=True)
    nets = {net: found for net in (*REAL, *BUILT) if (found := read(net)) is not None}
    text, errors = tables(nets)
    PAGE.write_text(with_tables(PAGE.read_text("utf-8"), text), "utf-8")
    for where, off in errors.items():
        if not off:
            continue
        sizes = [abs(each) for each in off]
        print(
            f"{where}: {len(off)} points, {statistics.median(sizes):.1%} off in the median,"
            f" {max(sizes):.1%} at most, {statistics.median(off):+.1%} with their sign"
        )


def _model(net: str, folder: Path) -> Path:
    path = folder / f"{net}.tflite"
    path.write_bytes(real_model(net).read_bytes() if net in REAL else build(net, zeros=0.0))
    return path


def _swept(net: str, path: Path, where: str | None, jobs: int) -> Swept:
    known = read(net)
    if where == "arm64":
        found = sweep(path, shares=COUNTED, targets=TARGETS, bench="emulated", processes=jobs)
        if known is None:
            known = Swept(_named(sweep(path, targets=TARGETS, processes=jobs)))
        return msgspec.structs.replace(known, counted=_brief(found, found))
    found = sweep(path, targets=TARGETS, processes=jobs, bench=WHERE.get(where or ""))
    counted = None if known is None else known.counted
    if counted is not None and not _same(counted, found):
        print(f"{net}: instructions are of other files, count anew")
        counted = None
    if where is None and known is not None:
        found = _with_times(found, known.sweep)
    return Swept(_named(found), None if counted is None else _brief(counted, found))


def _brief(counted: Sweep, found: Sweep) -> Sweep:
    """What was counted beside what is predicted now; which filters it is about is known."""
    now = {point.asked: point for point in found.points}
    points = tuple(
        msgspec.structs.replace(now[point.asked], layers=(), measured=point.measured)
        for point in counted.points
    )
    return msgspec.structs.replace(_named(counted), points=points, rivals=())


def _named(found: Sweep) -> Sweep:
    """Without the folder, which is another one each time."""
    return msgspec.structs.replace(found, path=Path(found.path or "").name)


def _same(known: Sweep, found: Sweep) -> bool:
    files = {point.asked: point.sizes for point in found.points}
    return all(files.get(point.asked) == point.sizes for point in known.points)


def _with_times(found: Sweep, known: Sweep) -> Sweep:
    """With the times that were measured of the same files."""
    if known.measurement is None or not _same(known, found):
        if known.measurement is not None:
            print(f"{found.path}: times are of other files, measure anew")
        return found

    def timed(now: Any, before: tuple[Any, ...]) -> Any:
        return tuple(
            msgspec.structs.replace(new, measured=old.measured)
            for new, old in zip(now, before, strict=True)
        )

    return msgspec.structs.replace(
        found,
        points=timed(found.points, known.points),
        rivals=timed(found.rivals, known.rivals),
        measurement=known.measurement,
    )


def _keep(net: str, found: Swept) -> None:
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{net}.json").write_bytes(msgspec.json.encode(found) + b"\n")


if __name__ == "__main__":
    main()
