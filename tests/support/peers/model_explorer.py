"""The real Model Explorer, in a virtual environment of its own.

It is kept in the folder of `tests.support.real_models.cache`, one for each Python and lock. An
environment that cannot be made is a test that fails.
"""

from __future__ import annotations

import contextlib
import functools
import json
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.peers.environments import environment_of, peer_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ask", "serve"]

_ROOT = Path(__file__).parents[3]
_LOCK = Path(__file__).with_name("model_explorer.lock")

# Runs commands as the server does, and prints the answers.
_RUN = """
import json, sys
from model_explorer.extension_manager import ExtensionManager
manager = ExtensionManager(["tflite_sparse.model_explorer"])
manager.load_extensions()
answers = [manager.run_cmd(command) for command in json.load(sys.stdin)]
known = [extension for extension in manager.get_extensions_metadata()]
json.dump({"answers": answers, "extensions": known}, open(sys.argv[1], "w"))
"""


@functools.cache
def _python() -> Path:
    """The interpreter of the environment, which is made where it is missing."""
    return environment_of("model-explorer", _LOCK) / "bin" / "python"


def _environment() -> dict[str, str]:
    # It looks for newer releases of itself, which are none of our business: no proxy leads there.
    nowhere = "http://127.0.0.1:9"
    return {
        **{k: value for k, value in peer_environment().items() if "proxy" not in k.lower()},
        "PYTHONPATH": str(_ROOT),
        "PYTHONUNBUFFERED": "1",
        "http_proxy": nowhere,
        "https_proxy": nowhere,
        "no_proxy": "127.0.0.1",
    }


def ask(work: Path, *commands: dict[str, Any]) -> dict[str, Any]:
    """What the extensions of Model Explorer, ours included, answer to commands of its web page.

    Args:
        work: a folder for temporary files.
        commands: the commands.

    Returns:
        "answers", in the order of the commands, and "extensions", the loaded ones.
    """
    target = work / "answers.json"
    subprocess.run(
        [_python(), "-c", _RUN, target],
        input=json.dumps(commands),
        text=True,
        check=True,
        capture_output=True,
        env=_environment(),
    )
    answers: dict[str, Any] = json.loads(target.read_text("utf-8"))
    return answers


@contextlib.contextmanager
def serve(model: Path, *data: Path) -> Iterator[str]:
    """The address of its page with a model and data sets, for as long as the block lasts."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [_python(), "-m", "model_explorer", model, f"--port={port}", "--host=127.0.0.1"]
    command += [f"--node_data_paths={','.join(map(str, data))}", "--no_open_in_browser"]
    server = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=_environment()
    )
    with server:
        try:
            assert server.stdout is not None
            lines = []
            for line in server.stdout:
                lines.append(line)
                if line.startswith("http://"):
                    yield line.strip()
                    break
            else:
                raise AssertionError(f"Model Explorer did not start: {''.join(lines)}")
        finally:
            server.kill()
