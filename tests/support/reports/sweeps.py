"""A sweep as a sweep with data, a browser and rivals makes it, of numbers that are made up."""

from __future__ import annotations

from tflite_sparse.pruning.measures import OutputQuality, Quality
from tflite_sparse.pruning.options import Allocation, Method
from tflite_sparse.storage.values.options import StoredValues
from tflite_sparse.sweeping.result import (
    MeasuredTime,
    Measurement,
    PointLayer,
    PredictedTime,
    Rival,
    RivalKind,
    StoredSize,
    Sweep,
    SweepPoint,
    Threshold,
)
from tflite_sparse.xnnpack.plan_types import Outcome

__all__ = ["made_up_sweep"]

SHARES = (0.0, 0.5, 0.67, 0.8, 0.9)
_MIB = 2**20


def made_up_sweep(name: str = "net.tflite", *, data: bool = True) -> Sweep:
    """A sweep.

    Args:
        name: name of the model and of its filters.
        data: whether quality was judged, and times were taken.
    """
    return Sweep(
        path=f"folder/{name}",
        sha256="0" * 64,
        bytes=4 * _MIB,
        gzip=3 * _MIB,
        method=Method.MAGNITUDE,
        allocation=Allocation.UNIFORM,
        block=1,
        values=StoredValues.FP32,
        targets=("arm64", "wasm"),
        fitted=16 * data,
        held_out=8 * data,
        least_zeros=0.667,
        points=tuple(_point(share, name, data=data) for share in SHARES),
        rivals=(
            _rival(RivalKind.DENSE_FP16, "dense fp16", 2 * _MIB, 1.0, 1.0, data=data),
            _rival(RivalKind.WEIGHTS_INT8, name, _MIB, 1.0, 0.99, data=data),
            Rival(RivalKind.FULL_INT8, "full int8", None, None, None, note="no data"),
        ),
        thresholds=(Threshold("arm64", 0.67, None, None), Threshold("wasm", 0.67, 0.67, 0.85)),
        measurement=Measurement("web", "LiteRT.js", "x86-64", 20) if data else None,
        notes=("zeros were made up",),
    )


def _point(share: float, name: str, *, data: bool) -> SweepPoint:
    gain = 1 / (1.6 - 1.2 * share) if share > 0.6 else 1.0
    size = round(4 * _MIB * min(1.0, 1.5 * (1 - share) + 0.1))
    layers = tuple(
        PointLayer(f"{name}/{n}", 10**n, round(10**n * share), ("wasm",) if share > 0.6 else ())
        for n in range(1, 6)
    )
    return SweepPoint(
        asked=share or None,
        zeros=round(share * 1000),
        elements=1000,
        adapted=share > 0.6,
        reason=None if share > 0.6 else "too few zeros",
        sizes=(
            StoredSize(StoredValues.FP32, size, size),
            StoredSize(StoredValues.FP16, size, size),
            StoredSize(StoredValues.INT8, size // 3, size // 3),
        ),
        times=(_time("arm64", None, share), _time("wasm", gain, share)),
        layers=layers,
        measured=MeasuredTime(20 / gain, None, gain, "") if data else None,
        quality=_quality(1 - share**6) if data else None,
    )


def _time(target: str, gain: float | None, share: float) -> PredictedTime:
    outcome = Outcome.SPARSE if share > 0.6 else Outcome.DENSE
    dense = None if gain is None else 20.0
    ms = None if gain is None else 20.0 / gain
    return PredictedTime(target, outcome, 5, 5 if share > 0.6 else 0, dense, ms, gain)


def _quality(agreement: float) -> Quality:
    return Quality(8, (OutputQuality("out", True, agreement, 0.9, 0.1, 20.0, 0.9),))


def _rival(
    kind: RivalKind, name: str, size: int, gain: float, agreement: float, *, data: bool
) -> Rival:
    return Rival(
        kind,
        name,
        None,
        size,
        size,
        times=(_time("wasm", gain, 0.0),),
        measured=MeasuredTime(20 / gain, None, gain, "") if data else None,
        quality=_quality(agreement) if data else None,
    )
