"""Runs a command of the program in this process."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema_rs

from tflite_sparse.cli.main import run

__all__ = ["Done", "as_anybody", "call", "validator"]

_SCHEMAS = Path(__file__).parents[2] / "schema"


@dataclass(frozen=True)
class Done:
    """What a command left behind.

    Attributes:
        code: its exit code.
        out: what it printed on standard output.
        err: what it printed on standard error.
    """

    code: int
    out: str
    err: str

    def document(self, schema: str) -> dict[str, Any]:
        """The JSON that it printed, checked against schema/<schema>.schema.json."""
        parsed: dict[str, Any] = json.loads(self.out)
        validator(schema).validate(parsed)
        return parsed


@functools.cache
def validator(schema: str) -> jsonschema_rs.Draft202012Validator:
    """What holds documents against schema/<schema>.schema.json, as fast as they are made."""
    rules = json.loads((_SCHEMAS / f"{schema}.schema.json").read_text("utf-8"))
    return jsonschema_rs.Draft202012Validator(rules)


def call(*arguments: object) -> Done:
    """Runs `tflite-sparse` with these arguments."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            run([str(argument) for argument in arguments])
        except SystemExit as stop:
            code = int(stop.code or 0)
    assert "Traceback" not in err.getvalue()
    return Done(code, out.getvalue(), err.getvalue())


def as_anybody() -> list[str]:
    """The start of a command line that runs the program without root's right to ignore modes."""
    command = [sys.executable, "-m", "tflite_sparse"]
    if os.geteuid() != 0:
        return command
    return ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", *command]
