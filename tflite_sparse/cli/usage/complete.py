"""What a shell offers where the user presses the tab key: names of targets, rules and passes."""

from __future__ import annotations

__all__ = ["passes", "releases", "rules", "target_names"]


def target_names(incomplete: str) -> list[tuple[str, str]]:
    """The targets that begin so, with their titles."""
    from tflite_sparse.xnnpack.releases.targets import targets

    return [(t.name, t.title) for t in targets() if t.name.startswith(incomplete)]


def releases(incomplete: str) -> list[tuple[str, str]]:
    """The releases of the runtime that begin so, with their names."""
    from tflite_sparse.xnnpack.releases.runtimes import RUNTIMES

    return [(r.slug, r.name) for r in RUNTIMES if r.slug.startswith(incomplete)]


def rules(incomplete: str) -> list[tuple[str, str]]:
    """The rules of lint whose code or name begins so."""
    from tflite_sparse.lint.rule import all_rules

    return [
        (word, f"{rule.code} {rule.name}")
        for rule in all_rules()
        for word in (rule.code, rule.name)
        if word.startswith(incomplete)
    ]


def passes(incomplete: str) -> list[str]:
    """The passes of adapt that begin so."""
    from tflite_sparse.rewrite.adapt.passes.names import PassName

    return [str(name) for name in PassName if str(name).startswith(incomplete)]
