"""The templates of the page, in which all text is escaped but what says that it is HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = ["template", "template_from", "template_source"]

_LOADER = PackageLoader("tflite_sparse.report.html", "templates")
_ENVIRONMENT = Environment(
    loader=_LOADER,
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def template(name: str) -> Template:
    """A template by the name of its file."""
    return _ENVIRONMENT.get_template(name)


def template_from(source: str) -> Template:
    """A template made of a text, under the rules of those in files."""
    return _ENVIRONMENT.from_string(source)


def template_source(name: str) -> str:
    """The text of a file beside the templates, such as the style of the page."""
    return _LOADER.get_source(_ENVIRONMENT, name)[0]
