"""Values of options: text passes as it is, and all else is converted and checked as before."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.command import call
from tests.support.docs.make_testdata import FOLDER

MODEL = FOLDER / "mobilenet_tiny_80.tflite"
_LOADED = """
import sys
from tflite_sparse.cli.main import run
try:
    run({arguments})
except SystemExit as stop:
    assert not stop.code, stop.code
print("pydantic" in sys.modules)
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["inspect", str(MODEL)],
        ["sparsify", str(MODEL), "--dry-run", "--only", "*", "--ops", "CONV_2D"],
        ["densify", str(MODEL), "--dry-run"],
    ],
)
def test_text_and_defaults_do_not_import_the_converter(arguments: list[str]) -> None:
    script = _LOADED.format(arguments=arguments)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "False", done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["inspect", MODEL, "--top", "many"], "--top"),
        (["inspect", MODEL, "--top", "-1"], "--top"),
        (["sparsify", MODEL, "-n", "--zero-below", "-1"], "--zero-below"),
        (["sparsify", MODEL, "-n", "--min-sparsity", "nothing"], "share"),
    ],
)
def test_what_needs_conversion_is_still_checked(arguments: list[object], words: str) -> None:
    done = call(*arguments)
    assert done.code == 2
    assert words in done.err


def test_numbers_shares_and_lists_arrive_converted() -> None:
    one = call("sparsify", MODEL, "-n", "--json", "--only", "*block1*")
    both = call("sparsify", MODEL, "-n", "--json", "--only", "*block1*", "--only", "*block2*")
    few = call("sparsify", MODEL, "-n", "--json", "--min-sparsity", "99%")
    count = [len(done.document("rewrite")["weights"]) for done in (one, both, few)]
    assert count == [1, 2, 0]
    assert ", 1 shown" in call("sparsify", MODEL, "-n", "--top", "1").out


@pytest.mark.parametrize(
    ("command", "usage"),
    [
        ("verify", "verify [OPTIONS] A B"),
        ("bench", "bench [OPTIONS] MODEL..."),
        ("targets", "targets [OPTIONS]"),
    ],
)
def test_help_has_no_types_of_python(command: str, usage: str) -> None:
    text = call(command, "-h").out
    assert text.splitlines()[0] == f"Usage: tflite-sparse {usage}"
    for word in ("<str", "<list", "<int", "<float", "{"):
        assert word not in text
