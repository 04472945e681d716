"""Outputs of models on the real LiteRT, in a process of its own: some models crash theirs.

Emulated, the process runs on a CPU model without AVX, where XNNPACK takes the sparse path. Run as a
script, this module is that process.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

__all__ = ["outputs"]

_EMULATOR = "qemu-x86_64"
_CPU = "Nehalem"
_TIMEOUT = 300


def outputs(
    *models: bytes, emulated: bool = False, delegate: bool = True
) -> list[list[np.ndarray] | None]:
    """The outputs of models for the same inputs, which depend on shapes and types alone.

    Args:
        models: the models.
        emulated: whether to run where XNNPACK takes the sparse path.
        delegate: whether to use XNNPACK at all.

    Returns:
        The outputs of the second of two runs of each; None for one that does not load or crashes.
    """
    results: list[list[np.ndarray] | None] = []
    while len(results) < len(models):
        # A process does as many as it survives.
        results += _batch(models[len(results) :], emulated=emulated, delegate=delegate)
    return results


def _batch(
    models: tuple[bytes, ...], *, emulated: bool, delegate: bool
) -> list[list[np.ndarray] | None]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for index, data in enumerate(models):
            (folder / f"{index}.tflite").write_bytes(data)
        command = [sys.executable, __file__, name, str(int(delegate))]
        environment = dict(os.environ)
        if emulated:
            emulator = shutil.which(_EMULATOR)
            assert emulator, f"{_EMULATOR} is needed (Debian package qemu-user)"
            # The emulator needs the interpreter itself, which then knows nothing of a venv.
            command = [emulator, "-cpu", _CPU, str(Path(sys.executable).resolve()), *command[1:]]
            environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        subprocess.run(command, env=environment, timeout=_TIMEOUT, check=False, capture_output=True)
        found: list[list[np.ndarray] | None] = []
        for index in range(len(models)):
            if (folder / f"{index}.failed").exists():
                found.append(None)
            elif (folder / f"{index}.npz").exists():
                with np.load(folder / f"{index}.npz") as stored:
                    found.append([stored[key] for key in stored.files])
            else:
                return [*found, None]
        return found


def _feed(shape: np.ndarray, kind: type) -> np.ndarray:
    rng = np.random.default_rng(7)
    if np.issubdtype(kind, np.floating):
        return rng.uniform(-1, 1, shape).astype(kind)
    return rng.integers(0, 4, shape).astype(kind)


def _main(folder: Path, delegate: bool) -> None:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    resolver = OpResolverType.AUTO if delegate else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    for index in range(len(list(folder.glob("*.tflite")))):
        try:
            interpreter = Interpreter(
                model_content=(folder / f"{index}.tflite").read_bytes(),
                experimental_op_resolver_type=resolver,
                num_threads=1,
            )
            interpreter.allocate_tensors()
            for _ in range(2):
                for detail in interpreter.get_input_details():
                    interpreter.set_tensor(detail["index"], _feed(detail["shape"], detail["dtype"]))
                interpreter.invoke()
            found = [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()]
        except (RuntimeError, ValueError):
            (folder / f"{index}.failed").touch()
            continue
        partial = folder / f"{index}.partial.npz"
        np.savez(partial, *found)
        partial.rename(folder / f"{index}.npz")


if __name__ == "__main__":
    _main(Path(sys.argv[1]), bool(int(sys.argv[2])))
