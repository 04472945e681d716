"""Training with zeros: a small real net to the accuracy that it had, whatever stops on the way."""

from __future__ import annotations

import functools
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from msgspec.structs import replace

from tests.end_to_end.torch.small_net import accuracy, net, split, trained
from tests.support.litert import invoke
from tflite_sparse.errors import FileError, UsageError
from tflite_sparse.model import Model
from tflite_sparse.torch import DistillOptions, distill, from_tflite
from tflite_sparse.torch.training import distill as engine
from tflite_sparse.torch.training.samples import Batches

ROOT = Path(__file__).parents[3]
SHORT = DistillOptions(steps=12, batch=16, evaluate=4, every=2, learning_rate=1e-3)


@functools.cache
def dense() -> Model:
    return trained()


def short(**changes):
    fields = {name: getattr(SHORT, name) for name in SHORT.__struct_fields__}
    return DistillOptions(**{**fields, **changes})


def weights_of(model):
    return [tensor.data.tobytes() for tensor in model.main.tensors if tensor.is_constant]


def masks_of(module):
    return {
        name: weight.detach().numpy() != 0
        for name, weight in module.weights.items()
        if tuple(weight.shape[1:3]) == (1, 1) and weight.ndim == 4
    }


def test_a_net_with_four_fifths_zeros_is_within_three_points_of_the_dense_one():
    model = dense()
    before = accuracy(model)
    assert before > 0.97
    data = weights_of(model)
    images, _, _, _ = split()
    seen = []
    options = DistillOptions(
        zeros=0.8, masks="rigl", steps=300, batch=64, learning_rate=3e-3, evaluate=100, every=20
    )
    result = distill(model, images, options, progress=seen.append)
    assert weights_of(model) == data
    assert accuracy(result.model) >= before - 0.03
    assert [round(share, 2) for share in result.zeros.values()] == [0.8] * 4
    assert result.best.agreement > 0.95
    assert result.evaluations[0].loss > 5 * result.best.loss
    assert (seen[-1].step, seen[-1].steps) == (300, 300)
    assert seen[0].seconds_left > seen[-1].seconds_left == 0
    # What is written is what was trained.
    (made,) = invoke(result.model.to_bytes(), {"input": images[:1]}).values()
    with torch.no_grad():
        expected = from_tflite(result.model)(torch.from_numpy(images[:1]))
    np.testing.assert_allclose(made, expected.numpy(), atol=1e-5)


def test_masks_hold_through_training_and_rigl_moves_them():
    images, _, _, _ = split()
    start = masks_of(from_tflite(distill(dense(), images, short(steps=1, masks="fixed")).model))
    fixed = masks_of(from_tflite(distill(dense(), images, short(masks="fixed")).model))
    moved = masks_of(
        from_tflite(distill(dense(), images, short(masks="rigl", learning_rate=1e-2)).model)
    )
    for name, mask in start.items():
        assert np.array_equal(mask, fixed[name])
        assert mask.sum() == moved[name].sum() == mask.size - round(0.8 * mask.size)
    assert any(not np.array_equal(mask, moved[name]) for name, mask in start.items())


def test_zeros_by_magnitude_come_gradually():
    images, _, _, _ = split()
    options = short(steps=20, ramp=0.8, evaluate=4, masks="magnitude")
    zeros = [round(e.zeros, 3) for e in distill(dense(), images, options).evaluations]
    # 1 - (1 - t)^3 of 80 %, a quarter of the ramp at a time, and then no more.
    wanted = [0.8 * (1 - (1 - t) ** 3) for t in (0, 0.25, 0.5, 0.75, 1, 1)]
    assert zeros == pytest.approx(wanted, abs=0.002)


def test_single_filters_have_zeros_of_their_own_and_blocks_have_them_together():
    images, _, _, _ = split()
    name = next(t.name for t in dense().main.tensors if t.shape == (64, 1, 1, 32))
    options = short(zeros=0.7, zeros_of={name: 0.9}, block=4, masks="rigl")
    result = distill(dense(), images, options)
    assert sorted(round(share, 1) for share in result.zeros.values()) == [0.7, 0.7, 0.7, 0.9]
    assert round(result.zeros[name], 1) == 0.9
    for mask in masks_of(from_tflite(result.model)).values():
        rows = mask.reshape(mask.shape[0] // 4, 4, -1)
        assert (rows == rows[:, :1]).all()
    with pytest.raises(UsageError, match="no trained weight is called 'other'"):
        distill(dense(), images, short(zeros_of={"other": 0.5}))


def test_a_name_that_two_filters_have_is_refused_and_their_numbers_are_not():
    images, _, _, _ = split()
    model = dense().copy()
    filters = [t for t in model.main.tensors if t.is_constant and t.shape[1:3] == (1, 1)]
    for tensor in filters[1:3]:
        tensor.table["name"] = "twin"
    with pytest.raises(UsageError, match="2 trained weights are called 'twin'"):
        distill(model, images, short(steps=1, zeros_of={"twin": 0.5}))
    number = f"#{filters[2].index}"
    zeros = distill(model, images, short(steps=1, zeros_of={number: 0.5})).zeros
    assert zeros[number] == pytest.approx(0.5, abs=0.01)


def test_training_begins_with_the_zeros_of_a_start():
    images, _, _, _ = split()
    start = dense().copy()
    for tensor in start.main.tensors:
        if tensor.is_constant and tensor.shape[1:3] == (1, 1):
            value = np.array(tensor.data)
            value[:, :, :, ::5] = 0
            value[:, :, :, 1::2] = 0
            value[:, :, :, 2::4] = 0
            tensor.buffer.data = value
    before = masks_of(from_tflite(start))
    options = short(zeros=0.5, masks="fixed")
    result = distill(dense(), images, options, start=start)
    for name, mask in masks_of(from_tflite(result.model)).items():
        assert np.array_equal(mask, before[name])
    with pytest.raises(UsageError, match="another model than the dense one"):
        distill(dense(), images, options, start=Model.read(net(16)))


def test_a_training_that_was_stopped_goes_on_as_if_it_had_not_been(tmp_path):
    images, _, _, _ = split()
    whole = distill(dense(), images, short(augment=True))
    checkpoint = str(tmp_path / "state")

    class StoppedError(Exception):
        pass

    def stop(progress):
        if progress.step == 9:
            raise StoppedError

    options = short(checkpoint=checkpoint, augment=True)
    with pytest.raises(StoppedError):
        distill(dense(), images, options, progress=stop)
    steps = []
    result = distill(dense(), images, options, progress=lambda p: steps.append(p.step))
    assert steps == [9, 10, 11, 12]
    assert weights_of(result.model) == weights_of(whole.model)
    assert result.evaluations == whole.evaluations
    with pytest.raises(UsageError, match="belongs to another training: options differs"):
        distill(dense(), images, replace(options, augment=False))
    Path(checkpoint).write_bytes(b"nothing")
    with pytest.raises(FileError, match="holds no state of a training"):
        distill(dense(), images, options)


@pytest.mark.parametrize("masks", ["rigl", "magnitude"])
def test_a_learning_rate_is_found_once_by_trials_that_leave_nothing_behind(
    tmp_path, monkeypatch, masks
):
    images = split()[0][:64]
    options = short(steps=12, batch=4, masks=masks, learning_rate=None, restore=False)
    monkeypatch.setattr(engine, "trial_batches", lambda _: 2)
    found = distill(dense(), images, options)
    assert found.learning_rate.source == "tried"
    rate = found.learning_rate.rate
    given = distill(dense(), images, replace(options, learning_rate=rate))
    assert (given.learning_rate.rate, given.learning_rate.source) == (rate, "given")
    assert weights_of(given.model) == weights_of(found.model)
    # A state keeps it.
    kept = replace(options, checkpoint=str(tmp_path / "state"))

    def stop(progress):
        if progress.step == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        distill(dense(), images, kept, progress=stop)
    monkeypatch.setattr(engine, "find_rate", None)
    gone_on = distill(dense(), images, kept)
    assert gone_on.learning_rate == found.learning_rate
    assert weights_of(gone_on.model) == weights_of(found.model)


def test_of_a_beginning_that_does_what_the_dense_model_does_the_smallest_rate_is_taken(monkeypatch):
    monkeypatch.setattr(engine, "trial_batches", lambda _: 1)
    # So few zeros are none.
    options = short(zeros=1e-4, steps=1, batch=4, learning_rate=None, restore=False)
    found = distill(dense(), split()[0][:8], options).learning_rate
    assert found.rate == 3e-5
    assert [one.loss for one in found.tried] == [None] * 3


def test_the_same_seed_makes_the_same_weights_and_another_one_others():
    images, _, _, _ = split()
    first, again, other = (
        weights_of(distill(dense(), images, short(seed=seed)).model) for seed in (0, 0, 1)
    )
    assert first == again != other


def test_training_stops_where_it_brings_nothing():
    images, _, _, _ = split()
    options = short(steps=400, evaluate=2, patience=3, learning_rate=1e-9, masks="fixed", zeros=0.1)
    result = distill(dense(), images[:64], options)
    assert len(result.evaluations) < 200
    assert result.evaluations[-1].step == result.best.step + 3 * 2


def test_what_is_held_out_is_never_trained_on():
    images, labels, _, _ = split()
    used = set()

    class Recorded:
        def __len__(self):
            return 40

        def __getitem__(self, index):
            used.add(index)
            return images[index][None]  # with a batch in front

    options = short(held_out=0.25, evaluate=100, restore=True)
    distill(dense(), Recorded(), options, labels=labels[:40])
    assert used == set(range(40))
    batches = Batches(
        Recorded(), None, from_tflite(dense()), DistillOptions(held_out=0.25, seed=options.seed)
    )
    trained_on = {int(i) for step in range(50) for i in batches.indices(step, 16)}
    assert len(batches.held_out) == 10
    assert trained_on == set(range(40)) - set(batches.held_out.tolist())


@pytest.mark.parametrize(
    ("samples", "changes", "message"),
    [
        (np.zeros((1, 8, 8, 1)), {}, "2 samples or more, there is 1"),
        (np.zeros((9, 8, 9, 1)), {}, r"has the shape \[8, 9, 1\], the input \[1, 8, 8, 1\]"),
        ([(np.zeros((8, 8, 1)),) * 2] * 9, {}, "has 2 inputs, the model 1"),
        (np.full((9, 8, 8, 1), np.nan), {}, "outputs are no finite numbers on the samples"),
        (np.zeros((9, 8, 8, 1)), {"zeros": 1.0}, "zeros is 1.0"),
        (np.zeros((9, 8, 8, 1)), {"steps": 0}, "steps is 1 or more"),
        (np.zeros((9, 8, 8, 1)), {"block": 3}, "block is 1, 2 or 4"),
        (np.zeros((9, 8, 8, 1)), {"held_out": 1.0}, "held_out is from 0"),
    ],
)
def test_what_cannot_be_trained_is_said_in_one_line(samples, changes, message):
    with pytest.raises(UsageError, match=message):
        distill(Model.read(net()), samples, short(**changes))


def test_weights_in_half_precision_are_trained_and_stay_so():
    images, _, _, _ = split()
    model = Model.read(net(storage="fp16"))
    result = distill(model, images, short(zeros=0.75))
    written = Model.read(result.model.to_bytes())
    assert [t.type for t in written.main.tensors] == [t.type for t in model.main.tensors]
    assert all(share == pytest.approx(0.75, abs=0.01) for share in result.zeros.values())


_PROCESS = """
import sys, numpy as np, torch
from tests.end_to_end.torch.small_net import split
from tflite_sparse.torch import DistillOptions, distill
from tflite_sparse.model import Model
from tflite_sparse.torch.training import distill as engine
torch.set_num_threads(1)
engine.trial_batches = lambda steps: 2
options = DistillOptions(steps=12, batch=16, evaluate=4, every=2, device="cpu", augment=True)
result = distill(Model.read(sys.argv[1]), split()[0], options)
result.model.write(sys.argv[2] + torch.distributed.get_rank().__str__())
"""


def test_two_processes_train_one_model(tmp_path, monkeypatch):
    dense().copy().write(tmp_path / "dense.tflite")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-c",
        _PROCESS,
        str(tmp_path / "dense.tflite"),
        str(tmp_path / "out"),
    ]
    processes = [
        subprocess.Popen(
            command,
            cwd=ROOT,
            env={
                **os.environ,
                "RANK": str(rank),
                "LOCAL_RANK": str(rank),
                "WORLD_SIZE": "2",
                "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": str(port),
                "PYTHONPATH": str(ROOT),
            },
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    for process in processes:
        _, errors = process.communicate(timeout=600)
        assert process.returncode == 0, errors[-2000:]
    both = [Model.read(tmp_path / f"out{rank}") for rank in range(2)]
    assert weights_of(both[0]) == weights_of(both[1])
    # The mean over two halves of a batch is that over the batch.
    monkeypatch.setattr(engine, "trial_batches", lambda _: 2)
    alone = distill(dense(), split()[0], short(learning_rate=None, augment=True))
    for one, other in zip(weights_of(alone.model), weights_of(both[0]), strict=True):
        if len(one) > 64:
            left, right = np.frombuffer(one, np.float32), np.frombuffer(other, np.float32)
            assert np.abs(left - right).max() < 0.02 * np.abs(left).max()
