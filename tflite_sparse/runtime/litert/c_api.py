"""LiteRT's profiler, through the C API of the libLiteRt.so in the LiteRT wheel.

The Python API has no profiler. Signatures and structures are those of litert/c/*.h in LiteRT 2.3.
"""

from __future__ import annotations

import ctypes
import sysconfig
from ctypes import (
    POINTER,
    byref,
    c_bool,
    c_char_p,
    c_int,
    c_int32,
    c_long,
    c_size_t,
    c_uint32,
    c_uint64,
    c_void_p,
)
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["LiteRtError", "NoProfilerError", "profile"]

_OPERATOR = 1 << 1
_DELEGATE_OPERATOR = 1 << 3
_CPU = 1
_LARGEST_RANK = 8
_RANK_BITS = 0x7F  # the bit above says whether there are strides
_WRITE = 1
_FORCE_FP16 = 4  # TFLITE_XNNPACK_DELEGATE_FLAG_FORCE_FP16
_LIBRARY = "libLiteRt"


class LiteRtError(Exception):
    """A call of the C API failed.

    Attributes:
        status: "load-failure" or "run-failure".
    """

    def __init__(self, call: str, code: int, status: str) -> None:
        super().__init__(f"{call} failed with LiteRT status {code}")
        self.status = status


class NoProfilerError(Exception):
    """The release of LiteRT is one without a profiler, which those before 2.1 are."""


class _Memory(ctypes.Structure):
    _fields_ = (("total", c_size_t), ("in_use", c_size_t), ("private", c_size_t))


class _Event(ctypes.Structure):
    _fields_ = (
        ("tag", c_char_p),
        ("type", c_int),
        ("start_us", c_uint64),
        ("elapsed_us", c_uint64),
        ("memory_before", _Memory),
        ("memory_after", _Memory),
        ("metadata1", c_uint64),
        ("metadata2", c_uint64),
        ("source", c_int),
    )


class _Layout(ctypes.Structure):
    _fields_ = (
        ("rank", c_uint32),
        ("sizes", c_int32 * _LARGEST_RANK),
        ("strides", c_uint32 * _LARGEST_RANK),
    )


class _TensorType(ctypes.Structure):
    _fields_ = (("element", c_int), ("layout", _Layout))


def _library() -> Path:
    import ai_edge_litert

    folder = Path(str(ai_edge_litert.__file__)).parent
    suffixes = (".so", ".dylib", sysconfig.get_config_var("SHLIB_SUFFIX") or ".so")
    for suffix in suffixes:
        if (path := folder / f"{_LIBRARY}{suffix}").is_file():
            return path
    raise NoProfilerError


class _Api:
    """The C API with its failures as exceptions."""

    def __init__(self) -> None:
        self.library = ctypes.CDLL(str(_library()))
        self.status = "load-failure"
        # What the library keeps pointers to must stay alive.
        self.kept: list[Any] = []

    def call(self, name: str, *arguments: Any) -> None:
        code = getattr(self.library, f"LiteRt{name}")(*arguments)
        if code:
            raise LiteRtError(name, code, self.status)

    def make(self, name: str, *arguments: Any) -> c_void_p:
        """Calls a function whose last argument receives a handle."""
        handle = c_void_p()
        self.call(name, *arguments, byref(handle))
        return handle

    def opaque_options(self, identifier: str, text: str) -> c_void_p:
        deleter = ctypes.CFUNCTYPE(None, c_void_p)(lambda _: None)
        data = ctypes.create_string_buffer(text.encode())
        label = identifier.encode()
        self.kept += [deleter, data, label]
        return self.make(
            "CreateOpaqueOptions", c_char_p(label), ctypes.cast(data, c_void_p), deleter
        )

    def compile(
        self, path: str, threads: int, flags: int = 0
    ) -> tuple[c_void_p, c_void_p, c_void_p]:
        environment = self.make("CreateEnvironment", c_int(0), None)
        model = self.make("CreateModelFromFile", environment, c_char_p(path.encode()))
        options = self.make("CreateOptions")
        self.call("SetOptionsHardwareAccelerators", options, c_int(_CPU))
        for identifier, text in (
            ("runtime_options_string", "enable_profiling = true\n"),
            ("xnnpack", f"num_threads = {threads}\n" + (f"flags = {flags}\n" if flags else "")),
        ):
            self.call("AddOpaqueOptions", options, self.opaque_options(identifier, text))
        compiled = self.make("CreateCompiledModel", environment, model, options)
        return environment, model, compiled

    def tensor_types(self, subgraph: c_void_p, side: str) -> list[_TensorType]:
        """Types and shapes of the inputs or outputs of a subgraph, as the file states them."""
        count = c_size_t()
        self.call(f"GetNumSubgraph{side}s", subgraph, byref(count))
        types = []
        for index in range(count.value):
            tensor = self.make(f"GetSubgraph{side}", subgraph, c_size_t(index))
            kind = _TensorType()
            self.call("GetRankedTensorType", tensor, byref(kind))
            types.append(kind)
        return types

    def settle(
        self,
        compiled: c_void_p,
        inputs: list[_TensorType],
        outputs: list[_TensorType],
        shapes: Sequence[Sequence[int]],
    ) -> None:
        """Gives the inputs of the first signature their shapes where the file leaves sizes open."""
        settled = False
        for index, kind in enumerate(inputs):
            rank = kind.layout.rank & _RANK_BITS
            if all(size >= 0 for size in kind.layout.sizes[:rank]):
                continue
            for axis in range(rank):
                # Another order of inputs than that of the main subgraph would not fit.
                fits = index < len(shapes) and len(shapes[index]) == rank
                size = shapes[index][axis] if fits else abs(kind.layout.sizes[axis])
                kind.layout.sizes[axis] = size
            sizes = (c_int * rank)(*kind.layout.sizes[:rank])
            self.call(
                "CompiledModelResizeInputTensor",
                compiled,
                c_size_t(0),
                c_size_t(index),
                sizes,
                c_size_t(rank),
            )
            settled = True
        if settled:
            layouts = (_Layout * len(outputs))()
            self.call(
                "GetCompiledModelOutputTensorLayouts",
                compiled,
                c_size_t(0),
                c_size_t(len(outputs)),
                layouts,
                c_bool(True),
            )
            for kind, layout in zip(outputs, layouts, strict=True):
                kind.layout = layout

    def buffers(
        self, environment: c_void_p, compiled: c_void_p, side: str, types: list[_TensorType]
    ) -> Any:
        """One tensor buffer for each input or output of the first signature, filled with zeros."""
        buffers = (c_void_p * len(types))()
        for index, kind in enumerate(types):
            needs = self.make(
                f"GetCompiledModel{side}BufferRequirements", compiled, c_size_t(0), c_size_t(index)
            )
            buffer = self.make(
                "CreateManagedTensorBufferFromRequirements", environment, byref(kind), needs
            )
            self.clear(buffer)
            buffers[index] = buffer.value
        return buffers

    def clear(self, buffer: c_void_p) -> None:
        size, memory = c_size_t(), c_void_p()
        self.call("GetTensorBufferPackedSize", buffer, byref(size))
        self.call("LockTensorBuffer", buffer, byref(memory), c_int(_WRITE))
        ctypes.memset(memory, 0, size.value)
        self.call("UnlockTensorBuffer", buffer)


def profile(
    path: str,
    runs: int,
    threads: int,
    shapes: Sequence[Sequence[int]] = (),
    *,
    warmup: bool = True,
    fp16: bool = False,
    mark: int | None = None,
) -> list[list[tuple[str, int, int, int, int]]]:
    """Runs a model's first signature on zeros and returns what was executed.

    Args:
        path: the model.
        runs: how many runs to record.
        threads: of XNNPACK.
        shapes: of its inputs, for those that leave sizes open; where there is none, these are 1.
        warmup: whether there is a run before, as the first one takes longer.
        fp16: whether to force arithmetic in half precision.
        mark: the system call that marks a further run, which nobody but XNNPACK profiles; None for
            no such run.

    Returns:
        For each run its operators in order: (name, 1 for one of XNNPACK and 0 for one of the model,
        index, microseconds, index of the subgraph).

    Raises:
        LiteRtError: the runtime refused the model, or it failed while it ran.
        NoProfilerError: this release has no profiler.
    """
    api = _Api()
    environment, model, compiled = api.compile(path, threads, _FORCE_FP16 if fp16 else 0)
    subgraph = api.make("GetModelSubgraph", model, c_size_t(0))
    types = {side: api.tensor_types(subgraph, side) for side in ("Input", "Output")}
    api.settle(compiled, types["Input"], types["Output"], shapes)
    inputs, outputs = (api.buffers(environment, compiled, *side) for side in types.items())
    profiler = c_void_p()
    api.call("CompiledModelGetProfiler", compiled, byref(profiler))
    api.status = "run-failure"
    run = (
        compiled,
        c_size_t(0),
        c_size_t(len(inputs)),
        inputs,
        c_size_t(len(outputs)),
        outputs,
    )
    if warmup:
        api.call("RunCompiledModel", *run)
    if mark is not None:
        _system_call(mark, 0)
        api.call("RunCompiledModel", *run)
        _system_call(mark, 1)
    recorded = []
    for _ in range(runs):
        api.call("ResetProfiler", profiler)
        api.call("StartProfiler", profiler)
        api.call("RunCompiledModel", *run)
        api.call("StopProfiler", profiler)
        recorded.append(_events(api, profiler))
    return recorded


def _system_call(number: int, argument: int) -> None:
    ctypes.CDLL(None).syscall(c_long(number), c_long(argument))


def _events(api: _Api, profiler: c_void_p) -> list[tuple[str, int, int, int, int]]:
    count = c_int()
    api.call("GetNumProfilerEvents", profiler, byref(count))
    events = (_Event * count.value)()
    api.call("GetProfilerEvents", profiler, count, ctypes.cast(events, POINTER(_Event)))
    return [
        (
            (event.tag or b"").decode("utf-8", "replace"),
            int(event.type == _DELEGATE_OPERATOR),
            int(event.metadata1),
            int(event.elapsed_us),
            int(event.metadata2),
        )
        for event in events
        if event.type in {_OPERATOR, _DELEGATE_OPERATOR}
    ]
