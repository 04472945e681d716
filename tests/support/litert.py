"""Models on LiteRT in a process of its own, with a limit on its time: some models crash theirs.

Apart from `tflite_sparse.runtime` on purpose, which the tests hold to it. Run as a script, this
module is that process.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LiteRTError", "feed", "invoke", "run"]

_ROOT = Path(__file__).parents[2]


class LiteRTError(AssertionError):
    """LiteRT refused a model, crashed on it, or took too long."""


def run(
    model: bytes,
    inputs: Mapping[str, np.ndarray] | None = None,
    *,
    xnnpack: bool = True,
    timeout: float = 300,
) -> dict[str, np.ndarray]:
    """The outputs of a model's main subgraph.

    Args:
        model: the bytes of the file.
        inputs: values by the names of the input tensors; those of `feed` where there are none.
        xnnpack: whether XNNPACK runs what it can.
        timeout: seconds until the process is ended.

    Returns:
        The outputs by the names of their tensors, in the model's order.

    Raises:
        LiteRTError: there are none; the message is what the process said.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "model.tflite").write_bytes(model)
        if inputs is not None:
            np.savez(folder / "inputs.npz", **inputs)
        command = [sys.executable, "-m", __name__, name, "xnnpack" if xnnpack else "kernels"]
        try:
            done = subprocess.run(
                command, cwd=_ROOT, capture_output=True, text=True, timeout=timeout, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise LiteRTError(f"LiteRT took more than {timeout} s") from error
        if done.returncode:
            raise LiteRTError(f"LiteRT ended with {done.returncode}: {done.stderr[-1000:]}")
        with np.load(folder / "outputs.npz") as stored:
            return {key: stored[key] for key in stored.files}


def feed(shape: tuple[int, ...], dtype: np.dtype, seed: int = 7) -> np.ndarray:
    """Random values for an input: from -1 to 1, or small integers."""
    rng = np.random.default_rng(seed)
    if np.issubdtype(dtype, np.floating):
        return rng.uniform(-1, 1, shape).astype(dtype)
    low = 0 if np.issubdtype(dtype, np.unsignedinteger) else -16
    return rng.integers(low, 17, shape).astype(dtype)


def invoke(
    model: bytes, inputs: Mapping[str, np.ndarray] | None = None, *, xnnpack: bool = True
) -> dict[str, np.ndarray]:
    """As `run`, but in this process: for models that are known not to crash it."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    kernels = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(
        model_content=model,
        experimental_op_resolver_type=OpResolverType.AUTO if xnnpack else kernels,
        num_threads=1,
    )
    interpreter.allocate_tensors()
    for number, detail in enumerate(interpreter.get_input_details()):
        value = (inputs or {}).get(detail["name"])
        if value is None:
            value = feed(detail["shape"], detail["dtype"], number)
        interpreter.set_tensor(detail["index"], value)
    interpreter.invoke()
    outputs = interpreter.get_output_details()
    return {detail["name"]: interpreter.get_tensor(detail["index"]) for detail in outputs}


def _main(folder: Path, *, xnnpack: bool) -> None:
    inputs = None
    if (folder / "inputs.npz").exists():
        with np.load(folder / "inputs.npz") as stored:
            inputs = {key: stored[key] for key in stored.files}
    found = invoke((folder / "model.tflite").read_bytes(), inputs, xnnpack=xnnpack)
    np.savez(folder / "outputs.npz", **found)


if __name__ == "__main__":
    _main(Path(sys.argv[1]), xnnpack=sys.argv[2] == "xnnpack")
