"""The nearest configuration counts for each file, and one may extend another."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from tests.support.command import call
from tflite_sparse.errors import UsageError
from tflite_sparse.lint.config.config import Config, read_config
from tflite_sparse.lint.config.found import FoundConfigs
from tflite_sparse.lint.config.tables import Budgets, ConfigFile, FileKeys
from tflite_sparse.lint.config.values import Size
from tflite_sparse.lint.finding import Severity

ROOT = Path(__file__).parents[3]
MODEL = ROOT / "testdata" / "mobilenet_tiny_80_same.tflite"


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_each_file_has_the_nearest_configuration(tmp_path: Path) -> None:
    written(tmp_path / "tflite-sparse.toml", 'fail-on = "error"\nselect = ["TFS3"]')
    written(tmp_path / "a" / "pyproject.toml", '[tool.tflite-sparse]\nselect = ["TFS401"]')
    near, far = str(tmp_path / "a" / "b" / "m.tflite"), str(tmp_path / "c" / "m.tflite")
    found = FoundConfigs([far, near], None, FileKeys())
    assert found.settings(near).enabled == {"TFS401"}
    assert all(code.startswith("TFS3") for code in found.settings(far).enabled)
    assert found.fail_on is Severity.ERROR
    assert FoundConfigs([near], Config(), FileKeys()).settings(near).enabled > {"TFS401"}
    # The command line comes before all of them.
    assert (
        FoundConfigs([near], None, FileKeys(select=("TFS5",)))
        .settings(near)
        .enabled.isdisjoint({"TFS401"})
    )


def test_what_extends_another_says_the_rest_itself(tmp_path: Path) -> None:
    written(
        tmp_path / "base" / "all.toml",
        'fail-on = "note"\nignore = ["TFS5"]\nreference = "released"\n'
        '[budgets]\nmax-size = "1 MiB"\n[[files]]\nmatch = ["x.*"]\nignore = ["TFS4"]',
    )
    own = written(
        tmp_path / "mine" / "tflite-sparse.toml",
        'extends = "../base/all.toml"\nignore = ["TFS3"]\n[budgets]\nmin-zeros = 0.5\n'
        '[[files]]\nmatch = ["y.*"]\nignore = ["TFS2"]',
    )
    config = read_config(own)
    assert config.fail_on is Severity.NOTE
    assert config.reference == str(tmp_path / "base" / "released")
    settings = config.settings(str(own.parent / "x.tflite"))
    assert settings.budgets == {"max-size": 2**20, "min-zeros": 0.5}
    left_out = ("TFS5", "TFS3", "TFS4")
    assert not [code for code in settings.enabled if code.startswith(left_out)]
    assert "TFS201" not in config.settings(str(own.parent / "y.tflite")).enabled


def test_what_a_configuration_says_comes_before_all_that_it_extends(tmp_path: Path) -> None:
    written(
        tmp_path / "tflite-sparse.toml",
        '[[files]]\nmatch = ["old/*.tflite", "x.*"]\nreference = "released"\n'
        'budgets = { max-size = "1 MiB", min-zeros = 0.5 }',
    )
    own = written(
        tmp_path / "old" / "tflite-sparse.toml",
        'extends = "../tflite-sparse.toml"\n[budgets]\nmax-size = "2 MiB"\n'
        '[[files]]\nmatch = ["y.*"]\nbudgets = { max-size = "3 MiB" }',
    )
    config = read_config(own)
    x, y = (config.settings(str(own.parent / name)) for name in ("x.tflite", "y.tflite"))
    # A pattern is taken from the folder in which it stands, and so is a file.
    assert x.budgets == {"max-size": 2 * 2**20, "min-zeros": 0.5}
    assert y.budgets == {"max-size": 3 * 2**20, "min-zeros": 0.5}
    assert x.reference == str(tmp_path / "released")
    limit = FileKeys(budgets=Budgets(max_size=Size(7)))
    assert config.changed_by(limit, None).settings(str(own.parent / "y.tflite")).budgets == {
        "max-size": 7,
        "min-zeros": 0.5,
    }


def test_a_configuration_that_extends_itself_is_refused(tmp_path: Path) -> None:
    one = written(tmp_path / "one.toml", 'extends = "two.toml"')
    written(tmp_path / "two.toml", 'extends = "one.toml"')
    with pytest.raises(UsageError, match="extends itself"):
        read_config(one)
    with pytest.raises(UsageError, match="cannot read the configuration"):
        read_config(written(tmp_path / "three.toml", 'extends = "nothing.toml"'))


def test_every_key_is_on_the_page() -> None:
    page = (ROOT / "docs" / "lint-in-ci.md").read_text("utf-8")
    for table in (ConfigFile, Budgets):
        for field in msgspec.structs.fields(table):
            assert re.search(rf"\b{field.encode_name}\b", page), field.encode_name


@pytest.mark.parametrize("form", ["text", "json", "github", "gitlab", "junit", "markdown", "sarif"])
def test_files_that_are_not_there_are_in_every_report(form: str, tmp_path: Path) -> None:
    broken = written(tmp_path / "broken.tflite", "not a model")
    paths = [str(MODEL), str(broken), str(tmp_path / "missing*.tflite")]
    done = call("lint", *paths, "--isolated", "--format", form)
    assert done.code == 2
    assert done.err.count("\n") == 2
    if form == "text":
        assert "in 3 files, 2 of them not readable" in done.out
    else:
        assert "broken.tflite" in done.out
        assert "missing" in done.out
    if form == "json":
        assert sum(file["error"] is not None for file in json.loads(done.out)["files"]) == 2


def test_an_annotation_says_the_fix_and_an_explanation_the_reason() -> None:
    out = call("lint", str(MODEL), "--isolated", "--select", "TFS301", "--format", "github").out
    assert "%0AFix: Export the stem as PAD" in out
    text = call("lint", str(MODEL), "--isolated", "--select", "TFS301", "--explain").out
    assert "    why: All 1x1 convolutions" in text
    assert "docs/rules/TFS301.md" in text


def test_a_fix_names_the_command_for_the_file_and_where_more_is_in_the_way_the_one_for_all() -> (
    None
):
    store = ["lint", "--isolated", "--select", "TFS309"]
    model = str(MODEL.with_name("mobilenet_tiny_80.tflite"))
    told = f"    fix: Store the weights sparse. Command: tflite-sparse sparsify {model} --in-place"
    assert told in call(*store, model).out.splitlines()
    same = call(*store, str(MODEL)).out
    assert "    fix: tflite-sparse optimize stores them sparse, with what the other" in same
    assert same.splitlines()[1].endswith(f"Command: tflite-sparse optimize {MODEL} --in-place")


def test_the_command_is_told_for_each_file_and_the_rest_of_the_advice_once(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.tflite", "my b.tflite")]
    for path in paths:
        path.write_bytes(MODEL.read_bytes())
    out = call("lint", "--isolated", "--select", "TFS301,TFS302", *map(str, paths)).out
    fixes = [line for line in out.splitlines() if line.startswith("    fix: ")]
    assert [fix.count("Export") for fix in fixes] == [1, 1, 0]
    assert fixes[2] == f"    fix: tflite-sparse optimize '{paths[1]}' --in-place"


@pytest.mark.parametrize("code", ["TFS301", "tfs301"])
def test_a_rule_in_the_place_of_a_model_is_told_how_to_ask_for_it(code: str) -> None:
    done = call("lint", "--explain", code)
    assert done.code == 2
    assert f"{code} is a rule, and lint takes models; 'tflite-sparse rule TFS301'" in done.err


def test_files_of_which_none_can_be_read_are_not_called_clean(tmp_path: Path) -> None:
    broken = written(tmp_path / "broken.tflite", "not a model")
    assert call("lint", str(broken), "--isolated").out == "nothing looked at: 1 file not readable\n"


def test_a_growth_that_has_no_reference_is_an_error_of_the_configuration(tmp_path):
    path = written(tmp_path / "tflite-sparse.toml", 'budgets = { max-growth = "1%" }')
    with pytest.raises(UsageError, match="max-growth has no reference"):
        read_config(path).settings("a.tflite")
    path.write_text('budgets = { max-growth = "1%" }\nignore = ["TFS605"]\n')
    read_config(path).settings("a.tflite")
