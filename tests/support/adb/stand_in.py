"""A program that answers like adb: python stand_in.py ARGUMENTS, with the state in $ADB_STATE.

The state is a JSON file: the devices, what the tool prints for the bytes of a model, and a log of
all calls. What it prints is in the form of LiteRT's own tool.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import sys
from pathlib import Path


def main() -> int:
    path = Path(os.environ["ADB_STATE"])
    state = json.loads(path.read_text("utf-8"))
    arguments = sys.argv[1:]
    state.setdefault("log", []).append(arguments)
    code, text = answer(state, arguments)
    path.write_text(json.dumps(state), "utf-8")
    sys.stdout.write(text)
    return code


def answer(state: dict, arguments: list[str]) -> tuple[int, str]:
    if arguments == ["devices"]:
        rows = "".join(f"{serial}\t{how}\n" for serial, how in state["devices"].items())
        return state.get("code", 0), f"* daemon started\nList of devices attached\n{rows}\n"
    assert arguments[0] == "-s"
    assert arguments[1] in state["devices"]
    verb, *rest = arguments[2:]
    files = state.setdefault("files", {})
    if verb == "push":
        if state.get("full"):
            return 1, "adb: error: failed to copy: No space left on device\n"
        files[rest[1]] = hashlib.sha256(Path(rest[0]).read_bytes()).hexdigest()
        return 0, f"{rest[0]}: 1 file pushed\n"
    return shell(state, files, shlex.split(rest[0]))


def shell(state: dict, files: dict, command: list[str]) -> tuple[int, str]:
    program, *rest = command
    if program == "getprop":
        return 0, state["properties"].get(rest[0], "") + "\r\n"
    if program in ("mkdir", "chmod", "pkill"):
        return 0, ""
    if program == "rm":
        for name in [name for name in files if name.startswith(rest[1])]:
            del files[name]
        return 0, ""
    assert program in files, "the tool was pushed"
    flags = dict(part.lstrip("-").split("=", 1) for part in rest)
    told = state["models"][files[flags["graph"]]]
    turn = told.setdefault("turn", 0)
    told["turn"] += 1
    if told.get("code"):
        return told["code"], told["text"]
    times = told["milliseconds"]
    text = printed(1000 * times[turn % len(times)], int(flags["num_runs"]))
    if "enable_op_profiling" in flags:
        text += table(told.get("operators", []), told.get("old", False))
    return 0, text


def printed(average: float, runs: int) -> str:
    counted = (
        f"count={runs} first={average + 9:.0f} curr={average:.0f} min={average - 5:.0f}"
        f" max={average + 9:.0f} avg={average:g} std=4 p5={average - 4:.0f}"
        f" median={average:.0f} p95={average + 8:.0f}"
        if runs > 1
        else f"count=1 curr={average:.0f} p5={average:.0f} median={average:.0f} p95={average:.0f}"
    )
    return (
        "INFO: STARTING!\n"
        "INFO: Initialized session in 5.579ms.\n"
        f"INFO: {counted}\n\n"
        f"INFO: Inference timings in us: Init: 5579, First inference: {average * 1.5:g},"
        f" Warmup (avg): {average * 1.2:g}, Inference (avg): {average:g}\n"
    )


def table(operators: list[list], old: bool) -> str:
    """The tables of the tool: that of loading, then those of the runs."""
    names = ["[node type]", "[first]", "[avg ms]", "[%]", "[cdf%]", "[mem KB]", "[times called]"]
    if old:
        names.insert(1, "[start]")
    head = "".join(f"\t{name:>24}" for name in [*names, "[Name]"])
    loading = row("ModifyGraphWithDelegate", 1.356, "ModifyGraphWithDelegate/0", old)
    rows = "".join(row(kind, ms, name, old) for kind, ms, name in operators)
    top = "============================== Run Order ==============================\n"
    other = (
        "============================== Top by Computation Time ==============================\n"
    )
    return (
        f"INFO: Profiling Info for Benchmark Initialization:\n{top}{head}\n{loading}\n"
        f"{other}{head}\n{loading}\n\n\n"
        f"INFO: Operator-wise Profiling Info for Regular Benchmark Runs:\n{top}{head}\n{rows}\n"
        f"{other}{head}\n{rows}\nNumber of nodes executed: {len(operators)}\n"
    )


def row(kind: str, ms: float, name: str, old: bool) -> str:
    start = ["0.066"] if old else []
    cells = [kind, *start, f"{ms:.3f}", f"{ms:.3f}", "5.011%", "8.768%", "0.000", "1", name]
    return "".join(f"\t{cell:>24}" for cell in cells) + "\n"


if __name__ == "__main__":
    sys.exit(main())
