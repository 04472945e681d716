"""What somebody meant who mistyped a name."""

from __future__ import annotations

import pytest

from tflite_sparse.errors import UsageError
from tflite_sparse.lint.rule import find_rule, matching
from tflite_sparse.rewrite.adapt.passes.registry import PASSES
from tflite_sparse.runtime.packages.bundles import bundle
from tflite_sparse.words.near import did_you_mean, nearest
from tflite_sparse.xnnpack.releases.runtimes import runtime
from tflite_sparse.xnnpack.releases.targets import target


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("arm46", ["armv7", "arm64"], "arm64"),
        ("ARM64X", ["armv7", "arm64"], "arm64"),
        ("litert2.3", ["litert-2.1", "litert-2.3"], "litert-2.3"),
        ("litert-2.9", ["litert-2.1", "litert-2.3"], None),
        ("nothing", ["arm64"], None),
    ],
)
def test_a_mistyped_name_is_guessed_and_another_number_is_not(
    word: str, known: list[str], meant: str | None
) -> None:
    assert nearest(word, known) == meant
    assert did_you_mean(word, known) == (f"did you mean {meant}? " if meant else "")


@pytest.mark.parametrize(
    ("find", "word", "meant"),
    [
        (target, "arm46", "arm64"),
        (target, "wsam@litertjs-2.0", "wasm"),
        (runtime, "litert2.1", "litert-2.1"),
        (find_rule, "not-finit", "not-finite"),
        (lambda word: matching([word]), "not-finit", "not-finite"),
        (bundle, "litertj", "litertjs"),
        (PASSES.__getitem__, "entrys", "entries"),
    ],
)
def test_targets_releases_rules_runtimes_and_passes_are_guessed(find, word, meant) -> None:
    with pytest.raises(UsageError) as told:
        find(word)
    assert f"did you mean {meant}? " in str(told.value)
