"""PyTorch on one thread: tests run side by side already."""

from __future__ import annotations

import torch

torch.set_num_threads(1)
