"""`bench` on an Android device: a stand-in for adb prints what LiteRT's own tool prints."""

from __future__ import annotations

import hashlib
import json
import stat
import struct
import sys
from pathlib import Path

import pytest

from tests.support.adb import stand_in
from tests.support.command import call
from tests.support.docs.make_testdata import FOLDER
from tests.support.nets.builder import ModelBuilder
from tests.support.open_sizes import opened
from tflite_sparse.errors import UsageError
from tflite_sparse.model import Model
from tflite_sparse.runtime.adb.bench import turns_of
from tflite_sparse.runtime.adb.benchmark_model import arguments, executed, run_of
from tflite_sparse.runtime.adb.device import Answer
from tflite_sparse.runtime.bench import bench
from tflite_sparse.runtime.inputs import input_specs

DENSE = str(FOLDER / "mobilenet_tiny_80.tflite")
SPARSE = str(FOLDER / "mobilenet_tiny_80_sparse.tflite")
INSIDE = [
    ["DelegateOpInvoke", 0.5, "Delegate/Convolution (NHWC, F32) CONV_HWC2CHW:0"],
    ["DelegateOpInvoke", 0.75, "Delegate/Convolution (NCHW, F32) SPMM:1"],
    ["DelegateOpInvoke", 0.25, "Delegate/Convolution (NCHW, F32) SPMM:2"],
    ["TfLiteXNNPackDelegate", 1.5, "[Identity]:12"],
    ["SOFTMAX", 0.125, "[probabilities]:9"],
]
OUTSIDE = [["CONV_2D", 3.5, "[features]:0"], ["SOFTMAX", 0.125, "[probabilities]:1"]]


def sha256(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def elf(machine: int) -> bytes:
    """The beginning of a program for Linux on such a processor."""
    return b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HH", 3, machine) + bytes(44)


class Phone:
    """What the stand-in does, and what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "state.json"
        self.tool = str(folder / "benchmark_model")
        Path(self.tool).write_bytes(elf(183))
        self.set(
            devices={"emulator-5554": "device"},
            properties={
                "ro.product.cpu.abilist": "arm64-v8a,armeabi-v7a",
                "ro.product.model": "Pixel 8",
                "ro.build.version.release": "14",
            },
            models={
                sha256(DENSE): {"milliseconds": [9.0, 8.0, 8.5], "operators": OUTSIDE},
                sha256(SPARSE): {"milliseconds": [4.0, 4.5, 4.25], "operators": INSIDE},
            },
        )

    def set(self, **state: object) -> None:
        before = json.loads(self.path.read_text("utf-8")) if self.path.exists() else {}
        self.path.write_text(json.dumps({**before, **state}), "utf-8")

    @property
    def state(self) -> dict:
        return json.loads(self.path.read_text("utf-8"))

    @property
    def runs(self) -> list[str]:
        """The lines that ran the tool."""
        lines = [call[-1] for call in self.state["log"] if "shell" in call]
        return [line for line in lines if "--graph=" in line]


@pytest.fixture
def phone(tmp_path, monkeypatch):
    folder = tmp_path / "bin"
    folder.mkdir()
    adb = folder / "adb"
    adb.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "{stand_in.__file__}" "$@"\n', "utf-8")
    adb.chmod(adb.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    monkeypatch.setenv("ADB_STATE", str(folder / "state.json"))
    monkeypatch.delenv("ANDROID_SERIAL", raising=False)
    return Phone(folder)


def refusal(*arguments: str) -> str:
    """The one line with which a command ends that could not begin."""
    done = call("bench", *arguments)
    assert done.code == 2
    assert done.out == ""
    assert len(done.err.splitlines()) <= 3
    return done.err


def test_models_take_turns_on_the_device_and_their_operators_are_told(phone):
    found = bench([DENSE, SPARSE], where="adb", runs=3, warmup=1, benchmark_model=phone.tool)
    dense, sparse = found.models
    assert found.where == "adb"
    assert found.processor == "Pixel 8 (arm64-v8a, Android 14)"
    assert found.runs == 3
    assert dense.milliseconds == (9.0, 8.0, 8.5)
    assert (dense.median_ms, sparse.median_ms, sparse.ratio) == (8.5, 4.25, 0.5)
    assert [operator.name for operator in sparse.operators][1:3] == [
        "Convolution (NCHW, F32) SPMM"
    ] * 2
    assert dense.note == "all of it ran dense"
    assert sparse.note == "2 operators ran on sparse kernels"
    assert sparse.max_difference is None
    assert "stay on the device" in sparse.comparison
    order = [line.split("--graph=")[1].split()[0][-8] for line in phone.runs]
    assert order == ["0", "1", "1", "0", "0", "1", "0", "1"]
    assert all("--num_runs=1" in line and "--min_secs=0" in line for line in phone.runs)
    assert phone.state["files"] == {}, "nothing is left on the device"


def test_the_table_is_that_of_other_benches(phone):
    asked = ("bench", DENSE, SPARSE, "--on", "adb", "--benchmark-model", phone.tool, "--runs", "3")
    done = call(*asked)
    assert done.code == 0
    assert "Pixel 8 (arm64-v8a, Android 14)" in done.out
    assert "0.50" in done.out
    assert "2 operators ran on sparse kernels" in done.out
    _, sparse = call(*asked, "--json").document("bench")["bench"]["models"]
    assert sum(operator["name"].endswith(" SPMM") for operator in sparse["operators"]) == 2


def test_a_model_that_fails_leaves_the_others_alone(phone):
    models = phone.state["models"]
    models[sha256(DENSE)] = {
        "code": 1,
        "text": "INFO: STARTING!\nERROR: Failed to load model x\nERROR: Benchmarking failed.\n",
    }
    phone.set(models=models)
    found = bench([DENSE, SPARSE], where="adb", runs=2, benchmark_model=phone.tool)
    dense, sparse = found.models
    assert (dense.status, sparse.status) == ("load-failure", "ok")
    assert not found.ok
    assert phone.state["files"] == {}


def test_open_sizes_are_given_to_the_tool_by_name(phone, tmp_path):
    builder = ModelBuilder()
    g = builder.graph()
    g.output(g.conv2d(g.input((1, 8, 8, 3)), 4, kernel=3))
    path = str(tmp_path / "open.tflite")
    Path(path).write_bytes(opened(builder.build()))
    name = Model.read(path).main.inputs[0].name
    phone.set(models={sha256(path): {"milliseconds": [1.0]}})
    bench(
        [str(path)],
        where="adb",
        runs=1,
        input_shapes={"": (1, 32, 48, 3)},
        benchmark_model=phone.tool,
    )
    assert all(f"--input_layer={name} --input_layer_shape=1,32,48,3" in line for line in phone.runs)


@pytest.mark.parametrize(
    ("devices", "words"),
    [
        ({}, "no Android device is connected"),
        ({"A": "unauthorized"}, "device A is unauthorized"),
        ({"A": "offline"}, "device A is offline"),
        ({"A": "device", "B": "device"}, "2 devices are connected: A, B"),
    ],
)
def test_a_device_that_cannot_be_used_is_said_in_a_line(phone, devices, words):
    phone.set(devices=devices)
    assert words in refusal(DENSE, "--on", "adb", "--benchmark-model", phone.tool)


def test_an_input_is_named_as_tensorflow_names_it_with_a_colon():
    # The tool splits names at commas, and only what it is told of ranges and files at colons.
    (spec,) = input_specs(Model.read(DENSE))
    asked = {"runs": 1, "warmup": 1, "threads": 1, "seconds": 1.0}
    given = arguments("m.tflite", resized=[("serving_default_x:0", spec)], **asked)
    assert "--input_layer=serving_default_x:0" in given
    with pytest.raises(UsageError, match="cannot be told"):
        arguments("m.tflite", resized=[("x,y", spec)], **asked)


def test_an_empty_serial_number_names_no_device(phone, monkeypatch):
    monkeypatch.setenv("ANDROID_SERIAL", "")
    assert bench([DENSE], where="adb", runs=1, benchmark_model=phone.tool).ok


def test_a_table_without_the_columns_that_tell_operators_tells_none():
    head = "Operator-wise Profiling Info for Regular Benchmark Runs\n===== Run Order =====\n"
    assert executed(f"{head}\t[kind]\t[avg ms]\nCONV_2D\t1.0\n") == ()


def test_one_of_several_devices_is_named(phone, monkeypatch):
    phone.set(devices={"A": "device", "B": "device"})
    options = {"where": "adb", "runs": 1, "benchmark_model": phone.tool}
    assert bench([DENSE], device="B", **options).ok
    monkeypatch.setenv("ANDROID_SERIAL", "A")
    assert bench([DENSE], **options).ok
    asked = [call[1] for call in phone.state["log"] if call[0] == "-s"]
    assert asked == sorted(asked, reverse=True)
    assert set(asked) == {"A", "B"}
    words = refusal(DENSE, "--on", "adb", "--benchmark-model", phone.tool, "--device", "C")
    assert "adb knows no device C" in words


def test_a_tool_for_another_processor_or_none_at_all_is_refused(phone):
    asked = (DENSE, "--on", "adb")
    assert "was not named" in refusal(*asked)
    assert "cannot be read" in refusal(*asked, "--benchmark-model", "/nowhere/tool")
    assert "no program for Android" in refusal(*asked, "--benchmark-model", DENSE)
    Path(phone.tool).write_bytes(elf(62))
    words = refusal(*asked, "--benchmark-model", phone.tool)
    assert "built for x86_64, the device takes arm64-v8a and armeabi-v7a" in words


def test_a_full_device_is_said_and_cleaned(phone):
    phone.set(full=True)
    words = refusal(DENSE, "--on", "adb", "--benchmark-model", phone.tool)
    assert "No space left on device" in words


def test_without_adb_it_is_said_how_to_get_it(phone, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "platform-tools" in refusal(DENSE, "--on", "adb", "--benchmark-model", phone.tool)


def test_times_of_a_device_are_drawn(phone, tmp_path):
    picture = tmp_path / "plot.svg"
    done = call(
        *("bench", DENSE, SPARSE, "--on", "adb"), "--benchmark-model", phone.tool, "--plot", picture
    )
    assert done.code == 0
    drawn = picture.read_text("utf-8")
    assert drawn.count('class="spread" d=') == 2
    assert "benchmark_model" in drawn


@pytest.mark.parametrize("given", [("--seed", 1), ("--browser", "x"), ("--litertjs", ".")])
def test_what_a_device_would_ignore_is_refused(phone, given):
    assert f"{given[0]} means nothing on a device" in refusal(
        DENSE, "--on", "adb", "--benchmark-model", phone.tool, *given
    )


def test_options_of_devices_need_a_device(phone):
    assert "--on adb" in refusal(DENSE, "--benchmark-model", phone.tool)
    assert "--on adb" in refusal(DENSE, "--device", "A")


@pytest.mark.parametrize("old", [False, True])
def test_the_table_of_the_runs_is_read_and_not_that_of_loading(old):
    operators = executed(stand_in.printed(1500, 50) + stand_in.table(INSIDE, old))
    assert [(op.name, op.index, op.partition) for op in operators] == [
        ("Convolution (NHWC, F32) CONV_HWC2CHW", 0, 0),
        ("Convolution (NCHW, F32) SPMM", 1, 0),
        ("Convolution (NCHW, F32) SPMM", 2, 0),
        ("SOFTMAX", 9, None),
    ]
    assert [op.microseconds for op in operators] == [500, 750, 250, 125]


def test_without_a_table_there_are_no_operators():
    assert executed(stand_in.printed(1500, 50)) == ()


@pytest.mark.parametrize("average", [812.4, 3512391.0, 2950340.0])
@pytest.mark.parametrize("runs", [1, 50])
def test_the_average_is_read_in_every_way_that_it_is_printed(average, runs):
    run = run_of(Answer(0, stand_in.printed(average, runs)), 1)
    assert run.milliseconds == pytest.approx(average / 1000, rel=1e-4)


def test_how_a_model_ends_is_told():
    assert run_of(Answer(None, "INFO: STARTING!"), 3).status == "timed-out"
    aborted = run_of(Answer(134, "INFO: STARTING!\nAborted\n"), 3)
    assert (aborted.status, aborted.detail) == ("crashed", "signal 6: Aborted")
    assert run_of(Answer(1, "ERROR: Benchmarking failed."), 3).status == "run-failure"
    assert run_of(Answer(0, "INFO: STARTING!"), 3).status == "run-failure"


@pytest.mark.parametrize(
    ("runs", "wanted"), [(1, (1, 1)), (3, (3, 1)), (50, (10, 5)), (51, (10, 6))]
)
def test_no_fewer_runs_are_made_than_were_asked_for(runs, wanted):
    assert turns_of(runs) == wanted
