"""Makes the pages that tell what the code says: python docs/make_pages.py.

A page for each command, from its own help, the table of targets and that of the passes of `adapt`.
A test holds them equal.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

import typer
from typer.main import get_command

from tflite_sparse.cli.main import app
from tflite_sparse.rewrite.adapt.passes.registry import PASSES
from tflite_sparse.xnnpack.releases.targets import target as target_of
from tflite_sparse.xnnpack.releases.targets import targets

DOCS = Path(__file__).resolve().parent
PROGRAM = "tflite-sparse"
WIDTH = 80
PASSES_BEGIN, PASSES_END = (
    "<!-- passes: made by make_pages.py -->\n\n",
    "\n<!-- end of passes -->\n",
)


def pages() -> dict[str, str]:
    """The generated pages: their text by their path in docs/."""
    texts = {"targets.md": _targets(), "adapt.md": _adapt()}
    rows = []
    for name, command in _commands():
        texts[f"commands/{name}.md"] = _command(name, command)
        rows.append(f"| [`{name}`]({name}.md) | {_summary(command)} |")
    head = ["# Commands", "", "| command | what it does |", "|---|---|"]
    tail = [
        "",
        "Every command prints its help with `-h`.",
        "Exit codes: 0 fine, 1 a check has failed, 2 an error.",
        "",
    ]
    texts["commands/index.md"] = "\n".join([*head, *rows, *tail])
    return texts


def _commands() -> list[tuple[str, Any]]:
    group: Any = get_command(app)
    context = typer.Context(group, info_name=PROGRAM)
    return [(name, group.get_command(context, name)) for name in group.list_commands(context)]


def _summary(command: Any) -> str:
    return str(command.help).split("\n\n")[0].replace("\n", " ").replace("|", "\\|")


def _command(name: str, command: Any) -> str:
    """A page: what the command does, how it is called, and its options in a table."""
    context = typer.Context(
        command, info_name=f"{PROGRAM} {name}", max_content_width=WIDTH, **command.context_settings
    )
    usage = command.get_usage(context).removeprefix("Usage: ")
    lines = [f"# {name}", "", str(command.help).strip(), "", "```text", usage.strip(), "```"]
    records = [r for p in command.get_params(context) if (r := _record(p, context))]
    for title, rows in (
        ("Arguments", [r for r in records if not r[0].startswith("-")]),
        ("Options", [r for r in records if r[0].startswith("-")]),
    ):
        if rows:
            lines += ["", f"## {title}", "", f"| {title[:-1].lower()} | |", "|---|---|"]
            lines += [f"| {_code(left)} | {right} |" for left, right in rows]
    return "\n".join([*lines, ""])


def _record(parameter: Any, context: typer.Context) -> tuple[str, str] | None:
    record = parameter.get_help_record(context)
    if record is None:
        return None
    left, right = (" ".join(text.split()) for text in record)
    return left, _escaped(right)


def _code(text: str) -> str:
    # A bar in backticks ends a table's cell, or shows its backslash, depending on who renders it.
    if "|" not in text:
        return f"`{text}`"
    return f"<code>{escape(text).replace('|', '&#124;')}</code>"


def _escaped(text: str) -> str:
    # In a table cell: no other column, no emphasis, no tag, no link.
    for character in "\\|*_<[":
        text = text.replace(character, f"\\{character}")
    return text


def _adapt() -> str:
    """The page as it is written, with the table of passes anew."""
    before, rest = (DOCS / "adapt.md").read_text("utf-8").split(PASSES_BEGIN)
    _, after = rest.split(PASSES_END)
    rows = ["| pass | what it does | what it costs | exact |", "|---|---|---|---|"]
    rows += [f"| `{p.name}` | {p.detail} | {p.cost} | {p.exact} |" for p in PASSES]
    return "".join([before, PASSES_BEGIN, *(f"{row}\n" for row in rows), PASSES_END, after])


def _targets() -> str:
    lines = [
        "# Targets",
        "",
        "A target is a kind of processor, with the release of the runtime that people run there.",
        "Whether XNNPACK looks for zeros at all, and which kernels it has, is decided by it.",
        "`--target NAME` chooses some: `inspect`, `report` and `lint` then tell of these alone,",
        "`overlay` colours by its one, `adapt` and `optimize` keep a model right on those named,",
        "and `prune` and `sweep` prune what runs sparse there.",
        "`tflite-sparse targets` prints the list.",
        "",
        "| target | processor | runtime | sparse path | sparse kernels, channels at a time | |",
        "|---|---|---|---|---|---|",
    ]
    for target in (*targets(), target_of("ynnpack")):
        kernels = ", ".join(map(str, target.blocks)) or "none"
        path = "yes" if target.sparse else "never"
        row = (f"`{target.name}`", target.title, target.runtime.name, path, kernels, target.note)
        lines.append(f"| {' | '.join(row)} |")
    lines += [
        "",
        "## Which one is mine?",
        "",
        "- **Android and iOS phones, Raspberry Pi and other 64-bit Arm boards**: `arm64`.",
        "  `arm64-fp16` is the same processor where the delegate computes in half precision.",
        "- **Older or small Arm boards** with a 32-bit system: `armv7`.",
        "- **A web page**, through LiteRT.js: `wasm`, on any processor.",
        "- **A PC or server**: `x86-avx`. Nothing runs sparse there, which XNNPACK decides.",
        "  `x86-noavx` is what [`profile --emulate`](commands/profile.md) shows.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Writes all generated pages anew, and removes those of commands that are gone."""
    texts = pages()
    (DOCS / "commands").mkdir(exist_ok=True)
    for old in (DOCS / "commands").glob("*.md"):
        if f"commands/{old.name}" not in texts:
            old.unlink()
    for path, text in texts.items():
        (DOCS / path).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
