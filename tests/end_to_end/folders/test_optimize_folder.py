"""Commands that take a folder of models."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command import call

TESTDATA = Path(__file__).parents[3] / "testdata"
STOCK = (TESTDATA / "mobilenet_tiny_80_same.tflite").read_bytes()
STORED = (TESTDATA / "mobilenet_tiny_80_sparse.tflite").read_bytes()


@pytest.fixture
def folder(tmp_path):
    models = tmp_path / "models"
    for name, content in {"a/x.tflite": STOCK, "b/c/x.tflite": STORED}.items():
        (models / name).parent.mkdir(parents=True)
        (models / name).write_bytes(content)
    (models / "a" / "labels.txt").write_text("cat")
    return models


def files(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_optimize_mirrors_a_folder_and_tells_of_each_model(folder, tmp_path):
    done = call("optimize", folder, "-o", tmp_path / "fast", "--no-verify")
    assert done.code == 0
    assert files(tmp_path / "fast") == ["a/x.tflite", "b/c/x.tflite"]
    assert (tmp_path / "fast" / "b/c/x.tflite").read_bytes() == STORED
    assert (tmp_path / "fast" / "a/x.tflite").read_bytes() != STOCK
    rows = {line.split()[0]: line for line in done.out.splitlines() if ".tflite" in line}
    assert rows["a/x.tflite"].split()[-1] == "sparse"
    assert " x  sparse" in rows["b/c/x.tflite"]


def test_a_model_that_fails_keeps_no_other_back_and_decides_the_exit_code(folder, tmp_path):
    (folder / "bad.tflite").write_bytes(STOCK[:300])
    done = call("optimize", folder, "-o", tmp_path / "fast", "--json", "--no-verify")
    assert done.code == 2
    assert f"{folder / 'bad.tflite'}: offset" in done.err
    told = done.document("folder")
    assert [Path(m["path"]).name for m in told["models"]] == ["x.tflite", "x.tflite", "bad.tflite"]
    assert [m["exit_code"] for m in told["models"]] == [0, 0, 2]
    assert told["models"][0]["report"]["changed"]
    assert "cut short" in told["models"][2]["error"]
    assert files(tmp_path / "fast") == ["a/x.tflite", "b/c/x.tflite"]


def test_check_and_dry_run_write_nothing(folder, tmp_path):
    before = files(tmp_path)
    assert call("optimize", folder, "--check").code == 1
    assert call("optimize", folder, "-o", tmp_path / "fast", "-n").code == 0
    assert files(tmp_path) == before


def test_in_place_replaces_each_model(folder):
    assert call("optimize", folder, "--in-place", "--no-verify").code == 0
    assert (folder / "a/x.tflite").read_bytes() != STOCK
    assert files(folder) == ["a/labels.txt", "a/x.tflite", "b/c/x.tflite"]


def test_in_place_rewrites_a_file_once_whatever_links_lead_to_it(folder):
    (folder / "a/again.tflite").symlink_to("x.tflite")
    (folder / "other.tflite").symlink_to("a/x.tflite")
    done = call("optimize", folder, "--in-place", "--no-verify", "--json")
    assert done.code == 0
    names = [str(Path(m["path"]).relative_to(folder)) for m in done.document("folder")["models"]]
    assert names == ["a/x.tflite", "b/c/x.tflite"]
    assert (folder / "other.tflite").is_symlink()


def test_linked_models_have_each_a_result_in_another_folder(folder, tmp_path):
    (folder / "a/again.tflite").symlink_to("x.tflite")
    assert call("optimize", folder, "-o", tmp_path / "fast", "--no-verify").code == 0
    results = ["a/again.tflite", "a/x.tflite", "b/c/x.tflite"]
    assert files(tmp_path / "fast") == results


def test_a_model_that_fails_leaves_no_empty_folder(folder, tmp_path):
    (folder / "worse/bad").mkdir(parents=True)
    (folder / "worse/bad/x.tflite").write_bytes(STOCK[:300])
    (tmp_path / "kept" / "worse").mkdir(parents=True)
    for name in ("fast", "kept"):
        assert call("optimize", folder, "-o", tmp_path / name, "--no-verify").code == 2
    assert not (tmp_path / "fast" / "worse").exists()
    # What was there before is somebody else's.
    assert [*(tmp_path / "kept" / "worse").iterdir()] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-o", "-"), "-o FOLDER takes the results"),
        (("-o", "models/fast"), "lies in"),
        (("-o", "models"), "lies in"),
        ((), "no output given"),
        (("-o", "taken"), "already, and 1 more; --force"),
        (("-o", "file"), "is a file"),
        (("-o", "out", "--bench", "native"), "one model"),
    ],
)
def test_what_makes_no_sense_for_a_folder_is_refused_before_any_work(
    folder, tmp_path, monkeypatch, arguments, words
):
    monkeypatch.chdir(tmp_path)
    for name in ("a/x.tflite", "b/c/x.tflite"):
        (tmp_path / "taken" / name).parent.mkdir(parents=True)
        (tmp_path / "taken" / name).write_bytes(b"")
    (tmp_path / "file").write_bytes(b"")
    before = files(tmp_path)
    done = call("optimize", "models", *arguments)
    assert done.code == 2
    assert words in done.err
    assert files(tmp_path) == before


TRAINED = ("-o", "out", "--prune", "0.8", "--method", "train", "--data", "nowhere")


def test_one_training_state_and_several_processes_are_for_one_model(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    done = call("optimize", "models", *TRAINED, "--checkpoint", "state")
    assert done.code == 2
    assert "--checkpoint holds the state of one training" in done.err
    # As torchrun and other launchers say it.
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    done = call("optimize", "models", *TRAINED)
    assert done.code == 2
    assert "several processes train one model" in done.err
    assert not (folder.parent / "out").exists()


def test_errors_of_models_of_one_name_are_told_apart(folder, tmp_path):
    for name in ("a/bad.tflite", "b/bad.tflite"):
        (folder / name).write_bytes(b"")
    lines = call("optimize", folder, "-o", tmp_path / "out", "--no-verify").out.splitlines()
    for name in ("a/bad.tflite", "b/bad.tflite"):
        assert lines[lines.index(f"  {name}") + 1].split() == ["the", "file", "is", "empty"]


def test_no_result_takes_the_place_of_another(folder, tmp_path):
    (folder / "a/y.tflite").write_bytes(STORED)
    (tmp_path / "out" / "a").mkdir(parents=True)
    # As on a disk that does not tell capitals from small letters.
    (tmp_path / "out" / "a/y.tflite").symlink_to("x.tflite")
    done = call("optimize", folder, "-o", tmp_path / "out", "--force", "--no-verify")
    assert done.code == 2
    assert "x.tflite, which holds the result of another model" in done.err
    assert (tmp_path / "out" / "a/x.tflite").read_bytes() not in (STOCK, STORED)


def test_names_that_command_a_terminal_do_not(folder, tmp_path):
    (folder / "a/\x1b[31m.tflite").write_bytes(b"")
    done = call("optimize", folder, "-n")
    assert "\x1b" not in done.out + done.err
    assert "a/\\x1b[31m.tflite" in done.out


def test_a_folder_without_models_is_an_error(tmp_path):
    done = call("optimize", tmp_path, "-o", tmp_path.parent / "out")
    assert done.code == 2
    assert "no .tflite files" in done.err
