"""What a shell offers where the user presses the tab key: names of all that options choose from."""

from __future__ import annotations

__all__ = [
    "cpus",
    "emulated",
    "passes",
    "releases",
    "releases_to_run",
    "rules",
    "runtimes",
    "target_names",
]


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


def releases_to_run(incomplete: str) -> list[tuple[str, str]]:
    """The releases to run models on that begin so, with their names."""
    from tflite_sparse.runtime.litert.releases import LITERT_RELEASES

    return [(r.name, r.title) for r in LITERT_RELEASES if r.name.startswith(incomplete)]


def runtimes(incomplete: str) -> list[tuple[str, str]]:
    """What `runtime install` knows that begins so."""
    from tflite_sparse.runtime.packages.bundles import bundles

    return [(each.name, each.title) for each in bundles() if each.name.startswith(incomplete)]


def emulated(incomplete: str) -> list[str]:
    """The processors that --emulate names."""
    from tflite_sparse.cli.usage.emulation import ARM64, X86

    return [name for name in (ARM64, X86) if name.startswith(incomplete)]


def cpus(incomplete: str) -> list[tuple[str, str]]:
    """The processors of emulated Arm that begin so."""
    from tflite_sparse.runtime.arm64.processors import PROCESSORS

    return [(cpu.name, cpu.title) for cpu in PROCESSORS if cpu.name.startswith(incomplete)]
