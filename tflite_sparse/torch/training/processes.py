"""One process or many: what `torchrun` has started, by PyTorch's own means."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

from tflite_sparse.errors import TfliteSparseError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

__all__ = ["Processes"]

# The others wait while the first one does what only one has to do.
_PATIENCE = timedelta(days=1)

_Made = TypeVar("_Made")


class Processes:
    """The processes that train together.

    Args:
        device: what the user asks for; None for the best that is there.

    Attributes:
        rank: number of this one; 0 is the one that writes.
        count: how many there are.
        device: the device of this one.

    Raises:
        UsageError: there is no such device.
    """

    def __init__(self, device: str | None) -> None:
        self.rank = int(os.environ.get("RANK", "0"))
        self.count = int(os.environ.get("WORLD_SIZE", "1"))
        if device is None:
            device = "cuda" if torch.cuda.is_available() else "cpu"
        if device == "cuda" and self.count > 1:
            device = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
        self.device = _checked(device)
        if self.device.type == "cuda" and self.device.index is not None:
            torch.cuda.set_device(self.device)
        if self.count > 1 and not distributed.is_initialized():
            distributed.init_process_group(
                "nccl" if self.device.type == "cuda" else "gloo", timeout=_PATIENCE
            )

    def check_batch(self, size: int) -> None:
        """Checks that each process gets a sample of every batch.

        Raises:
            UsageError: a batch has fewer samples than there are processes.
        """
        if size < self.count:
            raise UsageError(
                f"a batch of {size} cannot be shared by {self.count} processes",
                hint=f"make it {self.count} at least",
            )

    def wrap(self, module: nn.Module) -> nn.Module:
        """A module whose gradients are the mean over all processes."""
        return DistributedDataParallel(module) if self.count > 1 else module

    def mean(self, value: Tensor) -> Tensor:
        """The mean of a value over all processes."""
        if self.count > 1:
            distributed.all_reduce(value)
            value /= self.count
        return value

    def largest(self, value: float) -> float:
        """The largest of the values that the processes have."""
        tensor = torch.tensor(value, device=self.device)
        if self.count > 1:
            distributed.all_reduce(tensor, distributed.ReduceOp.MAX)
        return float(tensor)

    def first(self, make: Callable[[], _Made]) -> _Made:
        """What the first process makes, for all of them.

        Args:
            make: is called in the first process alone; the others wait.

        Raises:
            TfliteSparseError: it failed; the first process says why.
        """
        if self.count == 1:
            return make()
        shared: list[_Made] = []
        failure = None
        if self.rank == 0:
            try:
                shared = [make()]
            except TfliteSparseError as error:
                failure = error
        box = [shared]
        distributed.broadcast_object_list(box, src=0)
        if failure is not None:
            raise failure
        if not box[0]:
            raise UsageError("the first of the processes gave up, and says why")
        return box[0][0]

    def wait(self) -> None:
        """Waits until all have come here."""
        if self.count > 1:
            distributed.barrier()


def _checked(device: str) -> torch.device:
    """A device on which something can be computed."""
    try:
        chosen = torch.device(device)
        torch.zeros(1, device=chosen).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = " ".join(str(error).split("\n", 1)[0].split())
        raise UsageError(
            f"nothing can be computed on the device {device!r}: {reason}", hint="cpu, cuda, cuda:1"
        ) from None
    return chosen
