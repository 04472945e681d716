"""Small nets by LiteRT's converter for PyTorch, as a command: torch_export.py FOLDER.

Made testdata/exports, in an environment of its own that takes 2 GB:

    python3 -m venv exports
    exports/bin/python -m pip install --require-hashes -r tests/support/peers/torch_exports.lock
    exports/bin/python tests/support/peers/torch_export.py testdata/exports

The nets are those of torch_nets.py.
"""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import litert_torch
import torch
from torch.export import Dim
from torch_nets import Classifier, Segmenter, prune


def main(folder: Path) -> None:
    """Converts the nets."""
    torch.manual_seed(0)
    picture, pictures = torch.randn(1, 3, 32, 32), torch.randn(2, 3, 32, 32)
    classifier, segmenter = prune(Classifier()), prune(Segmenter())
    batch = ({0: Dim("batch", min=1, max=64)},)
    sides = ({2: Dim("height", min=8, max=512), 3: Dim("width", min=8, max=512)},)
    last = litert_torch.to_channel_last_io(segmenter, args=[0], outputs=[0]).eval()
    two = litert_torch.signature("classify", classifier, (picture,))
    two = two.signature("features", classifier.trunk, (picture,))
    nets = {
        "first": lambda: litert_torch.convert(classifier, (picture,)),
        "batch": lambda: litert_torch.convert(classifier, (pictures,), dynamic_shapes=batch),
        "hw": lambda: litert_torch.convert(segmenter, (picture,), dynamic_shapes=sides),
        "last": lambda: litert_torch.convert(last, (picture.permute(0, 2, 3, 1),)),
        "two": two.convert,
    }
    for name, convert in nets.items():
        path = folder / f"{name}.tflite"
        convert().export(str(path))
        data = path.read_bytes()
        path.with_suffix(".tflite.gz").write_bytes(gzip.compress(data, 9, mtime=0))
        path.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
