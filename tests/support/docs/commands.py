"""Runs the commands of the documentation, and holds it to what they print.

A fenced block marked `console` or `sh` holds commands after `$ ` and, in between, what a terminal
of 80 columns shows. A line `...` stands for any number of lines, and `[...]` in a line for any
text. All blocks of a page run in one temporary folder that holds the models of testdata/ and, as
model.tflite, the first of them. A command ends with 0, or `$ echo $?` after it shows its code.

What installs packages or opens a window is not run, but looked at: the extras and files exist.

    python -m tests.support.docs.commands docs/getting-started.md

writes the output of each command anew into its page, where the page shows output without `...`.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["ROOT", "Block", "Step", "blocks", "check_page", "matches", "pages", "prepare"]

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
TESTDATA = ROOT / "testdata"

_FENCE = re.compile(
    r"^(?P<indent> *)```(?:console|sh)\n(?P<body>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE
)
_PROMPT = "$ "
_CONTINUES = "> "
_ELLIPSIS = "..."
_WITHIN = "[...]"
_EXTRA = re.compile(r"tflite-sparse\[([a-z,-]+)\]")


@dataclass
class Step:
    """A command and what the page says that it prints."""

    command: str
    output: list[str] = field(default_factory=list)


@dataclass
class Block:
    """A fenced block: where it is in the page, and its steps."""

    start: int
    end: int
    indent: str
    steps: list[Step]


def pages() -> list[str]:
    """The pages with commands, by their path in docs/."""
    return sorted(
        str(page.relative_to(DOCS))
        for page in DOCS.rglob("*.md")
        if _FENCE.search(page.read_text("utf-8"))
    )


def blocks(text: str) -> list[Block]:
    """The blocks of commands of a page."""
    found = []
    for match in _FENCE.finditer(text):
        indent = match["indent"]
        steps: list[Step] = []
        for line in match["body"].splitlines():
            bare = line.removeprefix(indent)
            if bare.startswith(_PROMPT):
                steps.append(Step(bare.removeprefix(_PROMPT)))
            elif bare.startswith(_CONTINUES) and steps and not steps[-1].output:
                steps[-1].command += "\n" + bare.removeprefix(_CONTINUES)
            elif steps:
                steps[-1].output.append(bare)
            else:
                raise AssertionError(f"a block begins with {bare!r}, not with a command")
        found.append(Block(*match.span("body"), indent, steps))
    return found


def prepare(folder: Path) -> None:
    """Puts the models of testdata/ in place."""
    for model in TESTDATA.glob("*.tflite"):
        shutil.copy(model, folder)
    shutil.copy(TESTDATA / "mobilenet_tiny_80.tflite", folder / "model.tflite")


def matches(wanted: list[str], printed: list[str]) -> bool:
    """Whether what was printed is what the page shows."""
    parts = [
        r"(?:.*\n)*?"
        if line.strip() == _ELLIPSIS
        else re.escape(line.rstrip()).replace(re.escape(_WITHIN), ".*") + "\n"
        for line in wanted
    ]
    text = "".join(f"{line.rstrip()}\n" for line in printed)
    return re.fullmatch("".join(parts), text) is not None


def check_page(page: Path, folder: Path) -> list[str]:
    """Runs all commands of a page.

    Args:
        page: the page.
        folder: where to run them.

    Returns:
        What is wrong: a text for each command that does something else than the page says.
    """
    wrong = []
    for step, printed, unexpected in _run(blocks(page.read_text("utf-8")), folder):
        shown = "\n".join(printed)
        if unexpected is not None:
            wrong.append(f"$ {step.command}\nends with {unexpected}:\n{shown}")
        elif step.output and not matches(step.output, printed):
            wrong.append(f"$ {step.command}\nprints other than the page says:\n{shown}")
    return wrong


def _run(found: list[Block], folder: Path) -> list[tuple[Step, list[str], int | None]]:
    """Each command with what it printed, and with its exit code where nothing shows that."""
    done: list[tuple[Step, list[str], int | None]] = []
    code = 0
    for block in found:
        for number, step in enumerate(block.steps):
            following = block.steps[number + 1].command if number + 1 < len(block.steps) else ""
            if _is_looked_at(step.command, folder):
                continue
            asks = step.command == "echo $?"
            script = f"(exit {code})\n{step.command}" if asks else step.command
            ended = subprocess.run(
                ["bash", "-c", script],
                cwd=folder,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                env=_environment(),
                check=False,
            )
            code = ended.returncode
            told = code == 0 or following == "echo $?"
            done.append((step, ended.stdout.splitlines(), None if told else code))
    return done


def _environment() -> dict[str, str]:
    return {
        **{key: value for key, value in os.environ.items() if key != "FORCE_COLOR"},
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "COLUMNS": "80",
        "NO_COLOR": "1",
    }


def _is_looked_at(command: str, folder: Path) -> bool:
    """Whether a command is one that is not run; what it names must exist."""
    words = shlex.split(command)
    if words[:2] == ["pip", "install"]:
        text = (ROOT / "pyproject.toml").read_text("utf-8")
        for extras in _EXTRA.findall(command):
            for extra in extras.split(","):
                assert re.search(rf"^{extra} = \[", text, re.MULTILINE), f"no extra {extra}"
        return True
    if words[:1] == ["model-explorer"]:
        for word in words[1:]:
            option, _, value = word.partition("=")
            if option == "--extensions":
                assert (ROOT / value.replace(".", "/") / "main.py").is_file(), value
            else:
                for name in (value if word.startswith("--") else word).split(","):
                    assert (folder / name).is_file(), name
        return True
    return False


def write_anew(page: Path) -> None:
    """Writes the output of the commands of a page anew."""
    text = page.read_text("utf-8")
    found = blocks(text)
    with tempfile.TemporaryDirectory() as work:
        prepare(Path(work))
        printed = {id(step): lines for step, lines, _ in _run(found, Path(work))}
    for block in reversed(found):
        lines = []
        for step in block.steps:
            first, *rest = step.command.splitlines()
            lines += [_PROMPT + first, *(_CONTINUES + line for line in rest)]
            keep = not step.output or any(
                line.strip() == _ELLIPSIS or _WITHIN in line for line in step.output
            )
            lines += step.output if keep else printed[id(step)]
        body = "".join(f"{block.indent}{line}".rstrip() + "\n" for line in lines)
        text = text[: block.start] + body + text[block.end :]
    page.write_text(text, "utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        write_anew(Path(name))
