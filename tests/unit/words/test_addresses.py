"""Pages of the documentation are named where they are found, which is not beside the package."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tflite_sparse.report.text.headings import linked
from tflite_sparse.words.addresses import DOCS

ROOT = Path(__file__).parents[3]
PAGE = re.compile(r"\bdocs/[\w./-]+\.md\b")


def said(source: str) -> list[str]:
    """The texts of a module, without its docstrings."""
    tree = ast.parse(source)
    quiet = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in quiet
    ]


def test_no_message_names_a_page_by_a_path_that_only_the_sources_have() -> None:
    assert [text for text in said('x = "see docs/a.md"') if PAGE.search(text)]
    assert not [text for text in said('"""docs/a.md."""\nx = f"{DOCS}/a.md"') if PAGE.search(text)]
    for module in (ROOT / "tflite_sparse").rglob("*.py"):
        assert not [text for text in said(module.read_text("utf-8")) if PAGE.search(text)], module


def test_the_address_of_a_page_stays_whole() -> None:
    [line] = linked("More", "recipes/int8-or-sparse.md")
    assert line.plain == f"  More        {DOCS}/recipes/int8-or-sparse.md"


def test_pages_that_messages_name_are_there() -> None:
    texts = [m.read_text("utf-8") for m in (ROOT / "tflite_sparse").rglob("*.py")]
    pages = {page for text in texts for page in re.findall(r"\{DOCS\}/([\w/-]+\.md)", text)}
    pages |= {page for text in texts for page in re.findall(r'linked\("\w+", "([^"]+)"\)', text)}
    assert {"adapt.md", "recipes/int8-or-sparse.md"} <= pages
    assert all((ROOT / "docs" / page).is_file() for page in pages)
