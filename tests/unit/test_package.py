"""What a registry shows of the package: its links, its classifiers, its pictures."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from trove_classifiers import classifiers

from tflite_sparse._version import __version__
from tflite_sparse.words.addresses import PROJECT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
HERE = (
    f"{PROJECT}/blob/main/",
    f"{PROJECT}/tree/main/",
    f"{PROJECT.replace('github.com', 'raw.githubusercontent.com')}/main/",
)


def project() -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return found


def test_links_of_the_readme_work_on_the_page_of_a_package() -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", (ROOT / "README.md").read_text("utf-8"))
    assert links
    for link in links:
        assert link.startswith("https://"), "write it out: a package's page has no neighbours"
        home = next((home for home in HERE if link.startswith(home)), None)
        if home is not None:
            assert (ROOT / link.removeprefix(home).split("#")[0]).exists(), link


def test_addresses_of_the_package_lead_to_what_is_there() -> None:
    for address in project()["urls"].values():
        assert address.startswith(PROJECT)
        if address.startswith(HERE[0]):
            assert (ROOT / address.removeprefix(HERE[0])).is_file()


def test_classifiers_are_known() -> None:
    assert {*project()["classifiers"]} <= classifiers


def test_the_citation_names_this_version() -> None:
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))["version"] == __version__


@pytest.mark.parametrize(
    "file", [str(path.relative_to(ROOT)) for path in sorted((ROOT / ".github").rglob("*.yml"))]
)
def test_files_of_the_forge_are_well_formed(file: str) -> None:
    content = yaml.safe_load((ROOT / file).read_text("utf-8"))
    assert isinstance(content, dict)
    # YAML 1.1 reads the key "on" as true.
    if "workflows" in file:
        assert {"name", True, "jobs"} <= content.keys()
