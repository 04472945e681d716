"""The command of a finding can be pasted: it names the file, and does not break on odd names."""

from __future__ import annotations

import gzip
import shlex
from pathlib import Path

import pytest

from tests.support.command import call
from tests.support.lint.cases import CASES
from tflite_sparse.lint.engine import lint_subject
from tflite_sparse.lint.finding import Spot
from tflite_sparse.lint.pasted import pasted
from tflite_sparse.lint.rule import all_rules
from tflite_sparse.lint.settings import Settings
from tflite_sparse.lint.subject import Subject

TESTDATA = Path(__file__).parents[3] / "testdata"
OPTIMIZE = "tflite-sparse optimize MODEL -o OUT"


@pytest.mark.parametrize(
    ("template", "path", "command"),
    [
        (OPTIMIZE, "m/a.tflite", "tflite-sparse optimize m/a.tflite --in-place"),
        (OPTIMIZE, "my m/a.tflite", "tflite-sparse optimize 'my m/a.tflite' --in-place"),
        (OPTIMIZE, "-a.tflite", "tflite-sparse optimize ./-a.tflite --in-place"),
        (OPTIMIZE, "gs://m/a.tflite", "tflite-sparse optimize gs://m/a.tflite -o a.tflite"),
        ("x MODEL -o INT8_MODEL", "m/a.tflite", "x m/a.tflite -o m/a_int8.tflite"),
        ("x MODEL -o INT8_MODEL", "gs://m/a.tflite", "x gs://m/a.tflite -o a_int8.tflite"),
        ("x MODEL", "MODEL", "x MODEL"),
    ],
)
def test_a_file_takes_the_place_of_the_model(template, path, command):
    assert pasted(template, path, None) == command


def test_a_tensor_is_named_so_that_it_is_no_pattern():
    spot = Spot(tensor="a [0]/w*")
    assert shlex.split(pasted("x --only TENSOR MODEL", "m.tflite", spot)) == [
        "x", "--only", "a [[]0]/w[*]", "m.tflite",
    ]  # fmt: skip


@pytest.mark.parametrize("code", [rule.code for rule in all_rules() if rule.code in CASES])
def test_no_command_of_a_finding_has_a_word_left_to_be_replaced(code):
    case = CASES[code]
    settings = Settings(enabled=frozenset({code}), **case.config)
    for finding in lint_subject(Subject("m.tflite", settings, case.trigger())):
        words = shlex.split(finding.command)
        assert not {"MODEL", "OUT", "TENSOR", "REFERENCE", "RELEASE"} & set(words)
        assert not words or "m.tflite" in words


@pytest.mark.parametrize("code", ["TFS402", "TFS405", "TFS503", "TFS504", "TFS506"])
def test_the_command_of_a_finding_does_away_with_it(code, tmp_path):
    path = tmp_path / "m.tflite"
    path.write_bytes(CASES[code].trigger())
    settings = Settings(enabled=frozenset({code}), **CASES[code].config)
    finding = lint_subject(Subject(str(path), settings))[0]
    program, *words = shlex.split(finding.command)
    assert program == "tflite-sparse"
    done = call(*words)
    assert done.code in {0, 1}, done.err
    if words[0] == "lint":
        assert code not in done.out
    else:
        assert finding not in lint_subject(Subject(str(path), settings))


@pytest.mark.parametrize("code", ["TFS303", "TFS306", "TFS309", "TFS401", "TFS505"])
def test_commands_for_a_model_of_open_height_and_width_give_its_sizes(code, tmp_path):
    content = gzip.decompress((TESTDATA / "exports" / "hw.tflite.gz").read_bytes())
    settings = Settings(enabled=frozenset({code}))
    found = lint_subject(Subject("m.tflite", settings, content))
    assert {finding.command for finding in found} <= {
        "", "tflite-sparse optimize --input-shape 1,3,65,65 m.tflite --in-place",
    }  # fmt: skip
    assert found[0].command
    if code == "TFS505":
        path = tmp_path / "m.tflite"
        path.write_bytes(content)
        words = shlex.split(found[0].command.replace("m.tflite", shlex.quote(str(path))))
        assert call(*words[1:]).code == 0
        assert not lint_subject(Subject(str(path), settings))


def test_where_only_the_batch_is_open_the_command_says_no_more():
    settings = Settings(enabled=frozenset({"TFS505"}))
    (finding,) = lint_subject(Subject("m.tflite", settings, CASES["TFS505"].trigger()))
    assert finding.command == "tflite-sparse optimize --batch 1 m.tflite --in-place"
