"""The models of the race; those that are made are kept outside of the tree."""

from __future__ import annotations

import subprocess
from pathlib import Path

from benchmarks.big_model import write_big_model
from benchmarks.race.contestants import digest, peer_script
from benchmarks.speed_model import mobilenet
from tests.support.peers.environments import ROOT
from tests.support.real_models import cache, real_model
from tflite_sparse.model import Model
from tflite_sparse.rewrite.storage.densify import densify
from tflite_sparse.rewrite.writing.save import save

__all__ = ["big_model", "browser_model", "keras_models", "plain_models", "pruned_models"]

_KERAS = Path(__file__).with_name("keras_models.py")
# Stored sparse by Google, so the race starts from the same weights stored dense.
_SPARSE = ("face_detection_full_range_sparse", "pose_detection")
_PRUNED = ("hand_landmark_full", "hand_landmark_lite")


def _folder() -> Path:
    locked = ROOT / "requirements-peers.lock"
    folder = cache() / f"race-{digest(_KERAS, locked, ROOT / 'benchmarks' / 'big_model.py')}"
    folder.mkdir(exist_ok=True)
    return folder


def _dense(name: str, source: Path | bytes) -> Path:
    target = _folder() / f"{name}.tflite"
    if not target.exists():
        save(densify(Model.read(source)), target)
    return target


def pruned_models() -> dict[str, Path]:
    """Real models with zeros, all weights stored dense."""
    found = {name: _dense(name, real_model(name)) for name in _SPARSE}
    return found | {name: real_model(name) for name in _PRUNED}


def plain_models() -> dict[str, Path]:
    """Real models without zeros worth storing apart: what is best is to do nothing."""
    from tests.support.real_models import all_real_models

    twice = {"face_detection_full_range_sparse_mediapipe"}
    rest = set(all_real_models()) - set(_SPARSE) - set(_PRUNED) - twice
    return {name: real_model(name) for name in sorted(rest)}


def keras_models() -> dict[str, Path]:
    """The models of keras.applications, 80 % of each kernel zero; see keras_models.py."""
    folder = _folder() / "keras"
    if not (folder / "made").exists():
        folder.mkdir(exist_ok=True)
        words, environment = peer_script(_KERAS, folder)
        subprocess.run(words, env=environment, check=True, capture_output=True)
        (folder / "made").touch()
    return {path.stem: path for path in sorted(folder.glob("*.tflite"))}


def big_model(mib: int) -> Path:
    """A model of so many MiB of fp32 filters, 80 % of them zero."""
    target = _folder() / f"big_{mib}.tflite"
    if not target.exists():
        write_big_model(target, mib)
    return target


def browser_model() -> Path:
    """A MobileNetV1 with 80 % zeros that XNNPACK can run sparse, stored dense."""
    return _dense("mobilenet_v1_symmetric", mobilenet(1.0, 224, 0.8))
