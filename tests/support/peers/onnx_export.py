"""Small nets by way of ONNX, as a command: onnx_export.py onnx FOLDER, then tflite FOLDER OUT.

Made the nets of testdata/exports whose names begin with onnx. PyTorch writes ONNX files, in the
environment of torch_export.py, and onnx2tf makes models of them, in one of its own of 2 GB:

    exports/bin/python -m pip install onnx==1.19.1
    exports/bin/python tests/support/peers/onnx_export.py onnx FOLDER
    python3 -m venv onnx
    onnx/bin/python -m pip install --require-hashes -r tests/support/peers/onnx_exports.lock
    onnx/bin/python tests/support/peers/onnx_export.py tflite FOLDER testdata/exports
"""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np

_NETS = ("onnx", "onnx_map")
_PICTURES = "calibration_image_sample_data_20x128x128x3_float32.npy"


def write_onnx(folder: Path) -> None:
    """Writes the nets as PyTorch does: NCHW, with a batch of 1."""
    import torch
    from torch_nets import Classifier, Segmenter, prune

    torch.manual_seed(0)
    picture = torch.randn(1, 3, 32, 32)
    for name, net in zip(_NETS, (Classifier(), Segmenter()), strict=True):
        path = folder / f"{name}.onnx"
        torch.onnx.export(prune(net), (picture,), path, dynamo=False, opset_version=17)


def write_tflite(folder: Path, out: Path) -> None:
    """Converts them by onnx2tf's own command."""
    # It looks at pictures to compare outputs, and would fetch some where there are none.
    pictures = np.random.default_rng(0).random((20, 128, 128, 3), np.float32)
    np.save(folder / _PICTURES, pictures)
    for name in _NETS:
        command = [str(Path(sys.executable).with_name("onnx2tf")), "-n"]
        command += ["-i", f"{name}.onnx", "-o", name]
        subprocess.run(command, check=True, cwd=folder)
        data = (folder / name / f"{name}_float32.tflite").read_bytes()
        (out / f"{name}.tflite.gz").write_bytes(gzip.compress(data, 9, mtime=0))


if __name__ == "__main__":
    if sys.argv[1] == "onnx":
        write_onnx(Path(sys.argv[2]))
    else:
        write_tflite(Path(sys.argv[2]), Path(sys.argv[3]))
