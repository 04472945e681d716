"""Runs models and their dense twins on whatever release is importable: guest.py JOBS ANSWERS.

It needs nothing but numpy and LiteRT's interpreter, and runs under emulation. JOBS and ANSWERS are
files of pickles: of each job a model, its twin and sets of inputs, and of each a dict. Both run in
a process of its own, forked from one that has run both kinds of models already, so that it finds
the code of the runtime translated.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

try:
    # The releases before LiteRT had its name.
    from tflite_runtime.interpreter import Interpreter
except ImportError:
    from ai_edge_litert.interpreter import Interpreter

_SECONDS = 240


def run(model: bytes, trials: list[dict[str, Any]]) -> dict[str, Any]:
    """The outputs of a model for sets of inputs, or how far it came."""
    with tempfile.NamedTemporaryFile(suffix=".tflite") as file:
        file.write(model)
        file.flush()
        try:
            interpreter = Interpreter(file.name, num_threads=1)
            _resize(interpreter, trials[0])
            interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as error:
            return {"status": "load-failure", "detail": str(error)}
        outputs = []
        try:
            for feeds in trials:
                for detail in interpreter.get_input_details():
                    interpreter.set_tensor(detail["index"], feeds[detail["name"]])
                interpreter.invoke()
                outputs.append(_outputs(interpreter))
        except (RuntimeError, ValueError) as error:
            return {"status": "run-failure", "detail": str(error)}
        return {"status": "ok", "detail": "", "outputs": outputs}


def _resize(interpreter: Any, feeds: dict[str, Any]) -> None:
    for detail in interpreter.get_input_details():
        value = feeds[detail["name"]]
        if tuple(detail["shape"]) != value.shape:
            interpreter.resize_tensor_input(detail["index"], value.shape)


def _outputs(interpreter: Any) -> dict[str, Any]:
    outputs: dict[str, Any] = {}
    for number, detail in enumerate(interpreter.get_output_details()):
        name = f"{detail['name']}#{number}" if detail["name"] in outputs else detail["name"]
        outputs[name] = interpreter.get_tensor(detail["index"]).copy()
    return outputs


def forked(job: tuple[bytes, bytes, list[dict[str, Any]]]) -> dict[str, Any]:
    """What came of a job: "twin" and "model"; a model without an answer took the process along."""
    model, twin, trials = job
    with tempfile.TemporaryFile() as answers:
        child = os.fork()
        if child == 0:
            signal.alarm(_SECONDS)
            for name, one in (("twin", twin), ("model", model)):
                os.write(answers.fileno(), pickle.dumps((name, run(one, trials))))
            os._exit(0)
        _, code = os.waitpid(child, 0)
        answers.seek(0)
        answer: dict[str, Any] = {"code": code}
        try:
            while True:
                name, value = pickle.load(answers)  # noqa: S301 - from our child
                answer[name] = value
        except EOFError:
            return answer


def main() -> None:
    """Serves all jobs; the first two warm the process up."""
    with Path(sys.argv[1]).open("rb") as jobs, Path(sys.argv[2]).open("ab", buffering=0) as answers:
        for number, job in enumerate(pickle.load(jobs)):  # noqa: S301 - from our parent
            if number == 0:
                for one in job[:2]:
                    run(one, job[2])
            answers.write(pickle.dumps(forked(job)))


if __name__ == "__main__":
    main()
