"""The configuration: found, read, checked key by key, and applied to single files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.support.command import validator
from tflite_sparse.errors import UsageError
from tflite_sparse.lint.config.config import Config, find_config, read_config
from tflite_sparse.lint.finding import Severity
from tflite_sparse.lint.rule import matching
from tflite_sparse.lint.settings import MOBILE

if TYPE_CHECKING:
    from pathlib import Path


def written(folder: Path, text: str, name: str = "tflite-sparse.toml") -> Path:
    path = folder / name
    path.write_text(text, "utf-8", "surrogateescape")
    return path


def test_the_defaults_check_everything_on_mobile_targets():
    settings = Config().settings("model.tflite")
    assert settings.enabled == matching(["ALL"])
    assert settings.targets == MOBILE
    assert settings.budgets == {}


def test_every_key_is_read(tmp_path):
    path = written(
        tmp_path,
        """
        select = ["TFS2", "size-budget"]
        ignore = ["TFS220"]
        targets = ["wasm"]
        fail-on = "error"
        baseline = "known.json"
        reference = "released"
        near = 1e-8
        pruned = "60%"
        min-saving = "4 KiB"
        min-saving-share = 0.1
        [severity]
        TFS201 = "note"
        [budgets]
        max-size = "1.5 MiB"
        min-sparse-macs = "50%"
        """,
    )
    config = read_config(path)
    settings = config.settings(str(tmp_path / "m.tflite"))
    assert settings.enabled == (matching(["TFS2"]) | {"TFS601"}) - {"TFS220"}
    assert settings.targets == ("wasm",)
    assert settings.severities == {"TFS201": Severity.NOTE}
    assert settings.budgets == {"max-size": 1.5 * 2**20, "min-sparse-macs": 0.5}
    assert settings.reference == str(tmp_path / "released")
    assert (settings.near, settings.pruned) == (1e-8, 0.6)
    assert (settings.min_saving, settings.min_saving_share) == (4096, 0.1)
    assert config.fail_on is Severity.ERROR
    assert config.baseline == str(tmp_path / "known.json")


def test_settings_for_single_files_add_up_in_order(tmp_path):
    path = written(
        tmp_path,
        """
        ignore = ["TFS503"]
        [budgets]
        max-size = "1 MiB"
        [[files]]
        match = ["big/*.tflite"]
        ignore = ["TFS401"]
        budgets = { max-size = "9 MiB", min-zeros = 0.5 }
        [[files]]
        match = ["*_int8.tflite"]
        targets = ["arm64"]
        severity = { speed = "note" }
        """.replace("speed", "TFS3"),
    )
    config = read_config(path)
    plain = config.settings(str(tmp_path / "small.tflite"))
    assert plain.budgets == {"max-size": 2**20}
    both = config.settings(str(tmp_path / "big" / "face_int8.tflite"))
    assert both.budgets == {"max-size": 9 * 2**20, "min-zeros": 0.5}
    assert both.targets == ("arm64",)
    assert both.enabled == matching(["ALL"]) - {"TFS503", "TFS401"}
    assert set(both.severities) == matching(["TFS3"])
    assert "TFS401" in plain.enabled


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("selekt = []", "unknown key 'selekt'"),
        ("[budgets]\nmax-weight = 1", "unknown budget 'max-weight'"),
        ('[[files]]\nmatch = ["*"]\nbaseline = "x"', "unknown key 'files"),
        ("[[files]]\nignore = []", "needs 'match'"),
        ('select = "TFS1"', "list of strings"),
        ('select = ["TFS9"]', "chooses no rule"),
        ('targets = ["z80"]', "no target 'z80'"),
        ('fail-on = "fatal"', "must be one of"),
        ('[severity]\nTFS101 = "bad"', "must be one of"),
        ('[severity]\nTFS9 = "note"', "chooses no rule"),
        ('[budgets]\nmax-size = "70%"', "is not a size"),
        ('[budgets]\nmin-zeros = "4 MiB"', "is not a share"),
        ("[budgets]\nmax-size = -1", "is not a size"),
        ("files = 3", "array of tables"),
        ("reference = 3", "must be a string"),
        ("severity = 3", "'severity' must be a table"),
        ("budgets = 3", "'budgets' must be a table"),
        ("select = [3]", r"'select\[0\]' must be a string"),
        ('[[files]]\nmatch = "*"', r"'files\[0\].match' must be a list of strings"),
        (
            '[[files]]\nmatch = ["*"]\nbudgets = { max-size = true }',
            r"'files\[0\].budgets.max-size'",
        ),
        ("this is no toml", "no valid TOML"),
        ("select = '\udcff'", "no valid TOML"),
    ],
)
def test_a_mistake_is_named_with_its_key_and_file(tmp_path, text, message):
    path = written(tmp_path, text)
    with pytest.raises(UsageError, match=message) as caught:
        read_config(path)
    assert caught.value.place.file == str(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "selekt = []",
        "[budgets]\nmax-weight = 1",
        "[[files]]\nignore = []",
        'select = "TFS1"',
        'fail-on = "fatal"',
        '[severity]\nTFS101 = "bad"',
        "[budgets]\nmax-size = true",
    ],
)
def test_what_the_schema_refuses_is_refused(tmp_path, text):
    path = written(tmp_path, text)
    table = msgspec.toml.decode(text)
    assert list(validator("config").iter_errors(table))
    with pytest.raises(UsageError):
        read_config(path)


def test_the_nearest_configuration_is_found(tmp_path):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert find_config(inner) != tmp_path / "pyproject.toml"
    outer = written(tmp_path, "[tool.tflite-sparse]\nselect = ['ALL']", "pyproject.toml")
    assert find_config(inner) == outer
    # A pyproject.toml of another tool is passed over.
    for text in ("[tool.other]\nx = 1", "tool = 1"):
        written(tmp_path / "a", text, "pyproject.toml")
        assert find_config(inner) == outer
    own = written(tmp_path / "a", "")
    assert find_config(inner) == own


def test_a_pyproject_whose_table_is_none_is_an_error(tmp_path):
    path = written(tmp_path, "[tool]\ntflite-sparse = 1", "pyproject.toml")
    with pytest.raises(UsageError, match="the configuration must be a table"):
        read_config(path)
    assert read_config(written(tmp_path, "", "pyproject.toml")) == Config(path=path)


def test_a_configuration_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(UsageError, match="cannot read the configuration"):
        read_config(tmp_path / "missing.toml")
