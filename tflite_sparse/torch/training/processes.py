"""One process or many: what `torchrun` has started, by PyTorch's own means."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["Processes"]


class Processes:
    """The processes that train together.

    Args:
        device: what the user asks for; None for the best that is there.

    Attributes:
        rank: number of this one; 0 is the one that writes.
        count: how many there are.
        device: the device of this one.
    """

    def __init__(self, device: str | None) -> None:
        self.rank = int(os.environ.get("RANK", "0"))
        self.count = int(os.environ.get("WORLD_SIZE", "1"))
        if device is None:
            device = "cuda" if torch.cuda.is_available() else "cpu"
        if device == "cuda" and self.count > 1:
            device = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
        self.device = torch.device(device)
        if self.count > 1 and not distributed.is_initialized():
            distributed.init_process_group("nccl" if self.device.type == "cuda" else "gloo")

    def wrap(self, module: nn.Module) -> nn.Module:
        """A module whose gradients are the mean over all processes."""
        return DistributedDataParallel(module) if self.count > 1 else module

    def mean(self, value: Tensor) -> Tensor:
        """The mean of a value over all processes."""
        if self.count > 1:
            distributed.all_reduce(value)
            value /= self.count
        return value

    def wait(self) -> None:
        """Waits until all have come here."""
        if self.count > 1:
            distributed.barrier()
