"""Several processes that train together have the same zeros."""

from __future__ import annotations

import multiprocessing
import socket

import pytest
import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from tests.support.training.nets import chain
from tflite_sparse.training import MaskOptions, Masks

SHARES = {"2.0": 0.8, "4.0": 0.8, "6.0": 0.8, "8.0": 0.8}
STEPS = 6


def _train(rank, port, folder):
    address = f"tcp://127.0.0.1:{port}"
    distributed.init_process_group("gloo", init_method=address, rank=rank, world_size=2)
    net = chain(width=8, seed=rank)  # other weights, until the first process gives its own
    masks = Masks(net, SHARES, MaskOptions(steps=10, every=2))
    wrapped = DistributedDataParallel(net)
    optimizer = torch.optim.SGD(wrapped.parameters(), 0.1)
    generator = torch.Generator().manual_seed(rank)
    kept = []
    for _ in range(STEPS):
        loss = nn.functional.cross_entropy(
            wrapped(torch.rand(4, 3, 16, 16, generator=generator)), torch.arange(4)
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        masks.step()
        kept.append({n: mask.clone() for n, mask in masks.state_dict()["masks"]["kept"].items()})
    again = Masks(wrapped, SHARES, MaskOptions(steps=10, every=2))
    again.load_state_dict(masks.state_dict())
    weights = {n: net.get_parameter(f"{n}.weight").detach() for n in SHARES}
    torch.save((kept, weights, again.zeros), folder / f"{rank}.pt")
    distributed.destroy_process_group()


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # from Python 3.12 on
def test_two_processes_have_the_same_masks_after_every_step(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = multiprocessing.get_context("fork")  # PyTorch is there already
    processes = [context.Process(target=_train, args=(rank, port, tmp_path)) for rank in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
        assert process.exitcode == 0
    one, other = (torch.load(tmp_path / f"{rank}.pt") for rank in range(2))
    for left, right in zip(one[0], other[0], strict=True):
        assert all(torch.equal(mask, right[name]) for name, mask in left.items())
    assert any(not torch.equal(mask, one[0][-1][name]) for name, mask in one[0][0].items())
    for name, weight in one[1].items():
        assert torch.equal(weight, other[1][name])
        assert not weight[~one[0][-1][name]].any()
    assert one[2] == other[2]
