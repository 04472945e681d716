"""Runs all recorded cases on the newest nightly build: python -m tests.canary.

    --requirement PACKAGE   another package than ai-edge-litert-nightly, as pip names it
    NAME...                 only these cases, or modules of cases

It prints what changed against the release that the tests are installed with, case by case, whether
the build can run YNNPACK, which has no sparse path, and which LiteRT.js npm has beside the pinned
one. Exit code 1 says that something changed.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from tests.runtime_model.cases import CASES, possible
from tests.runtime_model.record import recorded
from tests.runtime_model.releases.observe import observe_wheel
from tflite_sparse.runtime.web.litertjs import CORE
from tflite_sparse.xnnpack.plan_types import Outcome

NIGHTLY = "ai-edge-litert-nightly"
# What libLiteRt.so says when it has it; builds without it say that it was not compiled in.
_YNNPACK = b"YNNPACK CPU accelerator registered"


def main(requirement: str, wanted: list[str]) -> int:
    """Prints what changed; 1 where something did."""
    names = [n for n in CASES if not wanted or n in wanted or n.split(".")[0] in wanted]
    with tempfile.TemporaryDirectory() as work:
        wheel = _downloaded(requirement, Path(work))
        site = Path(work, "site")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)
        print(f"{wheel.name}: {len(names)} cases")  # noqa: T201 - a script
        if any(_YNNPACK in path.read_bytes() for path in site.rglob("*.so")):
            print("it can run YNNPACK instead of XNNPACK, which has no sparse path")  # noqa: T201
        changed = _changed(names, site)
    for name, (before, now) in changed.items():
        print(f"  {name}: {before}, now {now}")  # noqa: T201
    print(f"{len(changed)} of {len(names)} changed")  # noqa: T201
    print(_litertjs())  # noqa: T201
    return int(bool(changed))


def _changed(names: list[str], site: Path) -> dict[str, tuple[str, str]]:
    """Cases that come out otherwise than recorded -> what was recorded, and what came out."""
    told, changed = recorded(), {}
    models = [CASES[name].build() for name in names]
    for name, now in zip(names, observe_wheel(models, site), strict=True):
        before = Outcome(told[name]["emulated"]["outcome"])
        # Without a twin that is right there is nothing to tell.
        if now is not None and now not in possible(CASES[name].expect) | {before}:
            changed[name] = (before.value, now.value)
    return changed


def _downloaded(requirement: str, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--pre"]
    command += ["--disable-pip-version-check", "--only-binary=:all:", "--dest", str(folder)]
    subprocess.run([*command, requirement], check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def _litertjs() -> str:
    npm = shutil.which("npm")
    if npm is None:
        return "npm is not installed, which knows the newest LiteRT.js"
    command = [npm, "view", CORE.name, "version"]
    newest = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    same = "the pinned one" if newest == CORE.version else f"{CORE.version} is pinned"
    return f"{CORE.name} {newest or 'cannot be asked for'}: {same}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--requirement", default=NIGHTLY)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    sys.exit(main(arguments.requirement, arguments.names))
