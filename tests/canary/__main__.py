"""Runs all recorded cases on the newest builds: python -m tests.canary.

    --requirement PACKAGE   another package than ai-edge-litert-nightly, as pip names it
    --litertjs VERSION      another LiteRT.js than the newest that npm has, such as next or 2.5.2
    --only wheel|web        only one of both
    NAME...                 only these cases, or modules of cases

The newest nightly wheel is held against the release that the tests are installed with, under
emulation; the newest LiteRT.js, in Chromium, against what was recorded of the pinned one, or is
planned for it. What changed is printed case by case, and whether the wheel can run YNNPACK, which
has no sparse path. Exit code 1 says that something changed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.runtime_model.cases import CASES, possible
from tests.runtime_model.record import recorded
from tests.runtime_model.releases.observe import observe_litertjs, observe_wheel
from tests.runtime_model.releases.record import recorded as on_releases
from tflite_sparse.model import Model
from tflite_sparse.runtime.web.litertjs import CORE
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.plan_types import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NIGHTLY = "ai-edge-litert-nightly"
# A build without YNNPACK refuses this.
_YNNPACK = """
import sys
from ai_edge_litert.compiled_model import CompiledModel
from ai_edge_litert.options import CpuOptions, Options
options = Options(cpu_options=CpuOptions(enable_ynnpack=True))
CompiledModel.from_file(sys.argv[1], options=options)
"""


def main(arguments: argparse.Namespace) -> int:
    """Prints what changed; 1 where something did."""
    wanted = arguments.names
    names = [n for n in CASES if not wanted or n in wanted or n.split(".")[0] in wanted]
    changed = 0
    with tempfile.TemporaryDirectory() as work:
        if arguments.only != "web":
            changed += _wheel(names, arguments.requirement, Path(work))
        if arguments.only != "wheel":
            changed += _web(names, arguments.litertjs, Path(work))
    return int(changed > 0)


def _wheel(names: list[str], requirement: str, work: Path) -> int:
    """How many cases come out otherwise on a wheel."""
    wheel = _downloaded(requirement, work)
    site = work / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    has = "runs" if _runs_ynnpack(site, work) else "does not run"
    print(f"{wheel.name}: {len(names)} cases; it {has} YNNPACK, which has no sparse path")  # noqa: T201 - a script
    told = {name: seen["emulated"]["outcome"] for name, seen in recorded().items()}
    models = [CASES[name].build() for name in names]
    return _print_changed(names, told, observe_wheel(models, site))


def _web(names: list[str], version: str, work: Path) -> int:
    """How many cases come out otherwise on a LiteRT.js."""
    npm = shutil.which("npm")
    if npm is None:
        print("npm is not installed, which brings the newest LiteRT.js")  # noqa: T201
        return 0
    command = [npm, "install", "--silent", "--ignore-scripts", "--prefix", str(work)]
    subprocess.run([*command, f"{CORE.name}@{version}"], check=True)
    manifest = work / "node_modules" / CORE.name / "package.json"
    found = json.loads(manifest.read_text("utf-8"))["version"]
    print(f"{CORE.name} {found}, {CORE.version} is pinned: {len(names)} cases")  # noqa: T201
    models = [CASES[name].build() for name in names]
    told = {name: _told(name, model) for name, model in zip(names, models, strict=True)}
    return _print_changed(names, told, observe_litertjs(models, str(work)))


def _told(name: str, model: bytes) -> str | None:
    """What was recorded of the pinned LiteRT.js, or planned for it where nothing was."""
    pinned = f"litertjs-{CORE.version}"
    seen = on_releases()[name]
    return seen[pinned] if pinned in seen else plan(Model.read(model).main, "wasm").outcome.value


def _print_changed(
    names: list[str], told: Mapping[str, str | None], seen: Iterator[Outcome | None]
) -> int:
    """Prints the cases that come out otherwise than recorded; how many these are."""
    changed = 0
    for name, now in zip(names, seen, strict=True):
        before = told[name]
        # Without a twin that is right there is nothing to tell.
        if now is None or before is None:
            continue
        expected = CASES[name].expect
        lucky = possible(expected) if expected is Outcome.PROCESS_ABORT else set()
        if now not in possible(Outcome(before)) | lucky:
            print(f"  {name}: {before}, now {now.value}")  # noqa: T201
            changed += 1
    print(f"{changed} of {len(names)} changed")  # noqa: T201
    return changed


def _runs_ynnpack(site: Path, work: Path) -> bool:
    model = work / "model.tflite"
    model.write_bytes(next(iter(CASES.values())).build())
    environment = {**os.environ, "PYTHONPATH": str(site)}
    command = [sys.executable, "-c", _YNNPACK, str(model)]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    return done.returncode == 0


def _downloaded(requirement: str, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--pre"]
    command += ["--disable-pip-version-check", "--only-binary=:all:", "--dest", str(folder)]
    subprocess.run([*command, requirement], check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--requirement", default=NIGHTLY)
    parser.add_argument("--litertjs", default="latest")
    parser.add_argument("--only", choices=["wheel", "web"])
    parser.add_argument("names", nargs="*")
    sys.exit(main(parser.parse_args()))
