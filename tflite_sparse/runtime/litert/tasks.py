"""What the worker does with a model, in a process of its own."""

from __future__ import annotations

import time
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

from tflite_sparse.runtime.interleave import there_and_back
from tflite_sparse.runtime.litert.through import InFile, run_through
from tflite_sparse.runtime.litert.watch import moments_of, values_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["NOT_WRITTEN", "NO_PROFILER", "perform", "preload"]

NO_PROFILER = "no-profiler"
"""What becomes of a profile on a release that has no profiler."""

NOT_WRITTEN = "not-written"
"""What becomes of a stream whose outputs the disk does not take; the answer is the error number."""

Answer = tuple[str, str, Any]


def preload() -> None:
    """Imports the runtime, before the worker forks for its first task.

    Raises:
        ImportError: LiteRT is not installed.
    """
    import ai_edge_litert.interpreter  # noqa: F401 - for its side effect


def perform(request: dict[str, Any]) -> Answer:
    """Does one task; what the runtime refuses is an answer, not an error."""
    tasks: dict[str, Callable[[dict[str, Any]], Answer]] = {
        "run": _run,
        "profile": _profile,
        "time": _time,
        "values": partial(_watch, of=values_of),
        "moments": partial(_watch, of=moments_of),
        "stream": _stream,
    }
    return tasks[request["task"]](request)


def _interpreter(model: str, backend: str, threads: int, *, keep_all: bool = False) -> Any:
    from ai_edge_litert import interpreter as litert

    resolver = {
        "xnnpack": litert.OpResolverType.AUTO,
        "builtin": litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        "reference": litert.OpResolverType.BUILTIN_REF,
    }[backend]
    with warnings.catch_warnings():
        # It says that keeping all tensors takes memory.
        warnings.simplefilter("ignore")
        return litert.Interpreter(
            model_path=model,
            num_threads=threads,
            experimental_op_resolver_type=resolver,
            experimental_preserve_all_tensors=keep_all,
        )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _allocate(interpreter: Any, feeds: dict[str, Any]) -> None:
    """Resizes the inputs, by name, or by position where `feeds` is numbered, and allocates.

    A model may not take what stands for open sizes in its file: that is never allocated.
    """
    for number, detail in enumerate(interpreter.get_input_details()):
        value = feeds.get(detail["name"], feeds.get(str(number)))
        if value is not None and tuple(detail["shape"]) != value.shape:
            interpreter.resize_tensor_input(detail["index"], value.shape)
    interpreter.allocate_tensors()


def _set_inputs(interpreter: Any, feeds: dict[str, Any]) -> None:
    """Sets the inputs, which are resized where they have other shapes now."""
    given = [
        (detail, value)
        for number, detail in enumerate(interpreter.get_input_details())
        if (value := feeds.get(detail["name"], feeds.get(str(number)))) is not None
    ]
    if any(tuple(detail["shape"]) != value.shape for detail, value in given):
        _allocate(interpreter, feeds)
    for detail, value in given:
        interpreter.set_tensor(detail["index"], value)


def _outputs(interpreter: Any) -> dict[str, Any]:
    outputs: dict[str, Any] = {}
    for number, detail in enumerate(interpreter.get_output_details()):
        name = detail["name"]
        key = f"{name}#{number}" if name in outputs else name
        outputs[key] = interpreter.get_tensor(detail["index"]).copy()
    return outputs


def _run(request: dict[str, Any]) -> Answer:
    try:
        interpreter = _interpreter(request["model"], request["backend"], request["threads"])
        _allocate(interpreter, request["feeds"][0] if request["feeds"] else {})
        runner = None
        if request["signature"] is not None:
            runner = interpreter.get_signature_runner(request["signature"])
    except (RuntimeError, ValueError) as error:
        return "load-failure", _one_line(error), None
    trials = []
    try:
        for feeds in request["feeds"]:
            if runner is not None:
                trials.append({name: v.copy() for name, v in runner(**feeds).items()})
                continue
            _set_inputs(interpreter, feeds)
            interpreter.invoke()
            trials.append(_outputs(interpreter))
    except (RuntimeError, ValueError) as error:
        return "run-failure", _one_line(error), None
    return "ok", "", trials


def _watch(request: dict[str, Any], of: Callable[[Iterator[Any], Any], Any]) -> Answer:
    """What `of` makes of the tensors after each run, all of which are kept."""
    feeds = request["feeds"]
    try:
        interpreter = _interpreter(request["model"], "xnnpack", request["threads"], keep_all=True)
        _allocate(interpreter, feeds[0] if feeds else {})
    except (RuntimeError, ValueError) as error:
        return "load-failure", _one_line(error), None

    def runs() -> Iterator[Any]:
        for values in feeds:
            _set_inputs(interpreter, values)
            interpreter.invoke()
            yield interpreter

    try:
        return "ok", "", of(runs(), request["watched"])
    except (RuntimeError, ValueError) as error:
        return "run-failure", _one_line(error), None


def _stream(request: dict[str, Any]) -> Answer:
    """Runs a model on inputs that lie in files, and writes its outputs into others."""
    try:
        interpreter = _interpreter(request["model"], "xnnpack", 1)
        sources = [InFile(*entry) for entry in request["inputs"]]
        _allocate(interpreter, {str(i): source.empty for i, source in enumerate(sources)})
        outputs = [detail["index"] for detail in interpreter.get_output_details()]
        return "ok", "", run_through(interpreter, sources, outputs, request["outputs"])
    except OSError as error:
        return NOT_WRITTEN, "", error.errno
    except (RuntimeError, ValueError) as error:
        return "run-failure", _one_line(error), None


def _profile(request: dict[str, Any]) -> Answer:
    from tflite_sparse.runtime.litert.c_api import LiteRtError, NoProfilerError, profile

    try:
        arguments = (request[key] for key in ("model", "runs", "threads", "shapes"))
        options = {key: request[key] for key in ("warmup", "fp16", "mark")}
        return "ok", "", profile(*arguments, **options)
    except NoProfilerError:
        return NO_PROFILER, "", None
    except LiteRtError as error:
        # The C API gives a number only, and puts off to the first run what may fail at loading.
        refused = _refusal(request["model"])
        return ("load-failure", refused, None) if refused else (error.status, str(error), None)


def _refusal(model: str) -> str:
    """What the interpreter says of a model that it does not load; "" where it loads."""
    try:
        _interpreter(model, "xnnpack", 1).allocate_tensors()
    except (RuntimeError, ValueError) as error:
        return _one_line(error)
    return ""


def _time(request: dict[str, Any]) -> Answer:
    """Times several models in turn, so that a drift of the machine's speed hits all alike."""
    ready = []
    answers: list[tuple[str, str, list[float]]] = []
    for model, feeds in zip(request["models"], request["feeds"], strict=True):
        interpreter, status, detail = _warm(request, model, feeds)
        ready.append(interpreter)
        answers.append((status, detail, []))
    pairs = list(zip(ready, answers, strict=True))
    for interpreter, (_, _, times) in there_and_back(pairs, request["runs"]):
        if interpreter is None:
            continue
        started = time.perf_counter()
        interpreter.invoke()
        times.append((time.perf_counter() - started) * 1000)
    return "ok", "", answers


def _warm(request: dict[str, Any], model: str, feeds: dict[str, Any]) -> tuple[Any, str, str]:
    """(interpreter, status, detail): a model that has run a few times, or None and why not."""
    try:
        interpreter = _interpreter(model, request["backend"], request["threads"])
        _allocate(interpreter, feeds)
        _set_inputs(interpreter, feeds)
        for _ in range(request["warmup"]):
            interpreter.invoke()
    except (RuntimeError, ValueError) as error:
        return None, "load-failure", _one_line(error)
    return interpreter, "ok", ""
