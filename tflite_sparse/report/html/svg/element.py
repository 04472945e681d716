"""SVG elements, in which whatever a model says stays text."""

from __future__ import annotations

from html import escape

__all__ = ["Svg", "element", "svg_number"]


class Svg(str):
    """Text that is SVG already: templates, which escape all other text, put it in as it is."""

    __slots__ = ()

    def __html__(self) -> str:
        """The SVG as HTML, which it is: the protocol by which template engines ask for it."""
        return self


def element(tag: str, *children: Svg | str, **attributes: object) -> Svg:
    """An element.

    Args:
        tag: its name.
        children: what it holds: text, which is escaped, or elements.
        attributes: by name, with "_" for "-", and a last "_" for names that Python has taken;
            those that are None are left out.
    """
    start = tag + "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    if not children:
        return Svg(f"<{start}/>")
    content = "".join(child if isinstance(child, Svg) else escape(child) for child in children)
    return Svg(f"<{start}>{content}</{tag}>")


def svg_number(value: float) -> str:
    """A number of a picture in as few characters as do."""
    return f"{value:.1f}".rstrip("0").rstrip(".")
