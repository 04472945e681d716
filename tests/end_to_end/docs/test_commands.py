"""Every command of the documentation runs, and prints what the page shows."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest

from tests.support.command import call
from tests.support.docs.commands import DOCS, blocks, check_page, matches, pages, prepare
from tests.support.docs.walks import WALKS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("page", pages())
def test_the_commands_of_a_page_do_what_it_says(page: str, tmp_path: Path) -> None:
    prepare(tmp_path)
    wrong = check_page(DOCS / page, tmp_path)
    assert not wrong, "\n\n".join(wrong)


def test_the_commands_that_the_rules_advise_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(tmp_path)
    monkeypatch.chdir(tmp_path)
    names = {"MODEL": "mobilenet_tiny_80_sparse.tflite", "REFERENCE": "model.tflite"}
    names |= {"OUT": "out.tflite -f", "TENSOR": "'*block1*'"}
    rules = "\n".join(page.read_text("utf-8") for page in (DOCS / "rules").glob("TFS*.md"))
    commands = sorted(set(re.findall(r"^    tflite-sparse (.*)$", rules, re.MULTILINE)))
    assert len(commands) > 5
    for command in commands:
        # Such as INT8_MODEL stands for a file beside the model.
        real = re.sub(r"\b[A-Z0-9]+_MODEL\b", "OUT", command)
        real = re.sub(r"[A-Z]{3,}", lambda word: names[word.group()], real)
        assert call(*shlex.split(real)).code == 0, real


@pytest.mark.parametrize(
    "page",
    sorted(
        str(page.relative_to(DOCS))
        for page in DOCS.rglob("*.md")
        # The commands of rules have placeholders, see above; walks are followed in a copy.
        if not page.name.startswith("TFS") and page.name not in WALKS
    ),
)
def test_no_command_stands_outside_a_block_that_is_run(page: str) -> None:
    text = (DOCS / page).read_text("utf-8")
    fence = re.compile(r"^ *```([a-z]*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
    # What inspect prints names commands, and is in blocks.
    outside = fence.sub("", text)
    command = r"^ {4,}(?:\$ )?(?:tflite-sparse|pip|model-explorer) "
    assert not re.search(command, outside, re.MULTILINE)
    for language, body in fence.findall(text):
        if language in {"", "bash", "shell"}:
            raise AssertionError(f"a block is marked {language!r}; commands are marked console")
        if language == "text":
            assert "$ " not in body


def test_pages_with_commands_are_found() -> None:
    assert {"getting-started.md", "model-explorer.md", "lint-in-ci.md"} <= set(pages())


@pytest.mark.parametrize(
    ("wanted", "printed", "same"),
    [
        (["a", "b"], ["a", "b"], True),
        (["a", "b"], ["a", "c"], False),
        (["a"], ["a", "b"], False),
        (["a", "...", "d"], ["a", "b", "c", "d"], True),
        (["a", "...", "d"], ["a", "d"], True),
        (["a", "...", "d"], ["a", "b"], False),
        (["took [...] ms"], ["took 1.5 ms"], True),
        (["took [...] ms"], ["took 1.5 s"], False),
        (["a.c"], ["abc"], False),
    ],
)
def test_ellipses_stand_for_lines_and_parts_of_lines(
    wanted: list[str], printed: list[str], same: bool
) -> None:
    assert matches(wanted, printed) == same


def test_blocks_are_taken_apart() -> None:
    text = "```console\n$ one \\\n> two\nout\n$ three\n```\n\n```text\n$ no\n```\n"
    (block,) = blocks(text)
    assert [(s.command, s.output) for s in block.steps] == [("one \\\ntwo", ["out"]), ("three", [])]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("$ false\n", "ends with 1"),
        ("$ echo yes\nno\n", "prints other than the page says"),
        ("$ tflite-sparse inspect missing.tflite\n", "ends with 2"),
    ],
)
def test_a_page_that_is_wrong_is_told(body: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(f"```console\n{body}```\n")
    (wrong,) = check_page(tmp_path / "page.md", tmp_path)
    assert words in wrong


def test_an_exit_code_that_is_shown_is_no_error(
    tmp_path: Path,
) -> None:
    (tmp_path / "page.md").write_text("```console\n$ exit 3\n$ echo $?\n3\n```\n")
    assert check_page(tmp_path / "page.md", tmp_path) == []
