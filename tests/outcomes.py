"""The whole tool over every model there is: what comes of each is recorded in outcomes.md.

    .venv/bin/python -m tests.outcomes                 # records all anew, in a quarter of an hour
    .venv/bin/python -m tests.outcomes "lint TFS505"   # those whose names begin so, and new ones

Every model is inspected, linted, stored sparse, stored dense, stored sparse once more and verified.
Whoever changes the table reads each changed line as the owner of the model would.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.runtime_model.cases import CASES
from tests.support.command import call
from tests.support.docs.make_testdata import MODELS
from tests.support.lint.cases import CASES as LINT_CASES
from tests.support.nets.random_nets import random_net
from tests.support.real_models import all_real_models, real_model
from tflite_sparse.comparison.model_diff import diff
from tflite_sparse.errors import TfliteSparseError
from tflite_sparse.model import Model
from tflite_sparse.runtime.compare_outputs import ROUNDING, Tolerance, compare_output, paired
from tflite_sparse.runtime.inputs import input_specs, random_inputs
from tflite_sparse.runtime.litert.driver import run_many
from tflite_sparse.xnnpack.plan_types import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tflite_sparse.runtime.observations import RunResult

__all__ = ["RECORDED", "group_of", "groups", "line", "outcomes", "recorded", "sources", "table"]

RECORDED = Path(__file__).with_name("outcomes.md")
_RANDOM = 30
_FORMS = ("sparse", "dense", "again")
_FAILURES = {outcome.value for outcome in Outcome if outcome.is_failure}
_HEAD = """# What comes of every model

Made by `python -m tests.outcomes`, and held against the tool by
`tests/end_to_end/test_outcomes.py`. Each model is inspected (what the runtime makes of its main
subgraph on arm64), linted (with the default rules), stored sparse, that dense again, and that
sparse once more: how many weights, and the size of the file. The three results are verified:
weights bit for bit, and outputs on LiteRT with XNNPACK
and with its reference kernels.

`same` are outputs bit for bit, `close` those that another order of summation explains. Where
inspect says that XNNPACK fails on a model, its dense form must compute what the reference kernels
compute for the model as it was (`as reference`), and the one made of that what the dense form does.
Quantized models, which XNNPACK computes with other intermediate types, are just `ok`.
`OTHERWISE` needs an explanation, given here:

- `lint TFS107`: a convolution reads a sparse filter that LiteRT has no kernel for, on either set of
  kernels; only once it is dense is it computed at all.

"""
_COLUMNS = ("model", "bytes", "inspect", "lint", "sparsify", "densify", "again", "verify")


@dataclass(frozen=True)
class Row:
    """What came of a model, in words."""

    model: str
    bytes: str
    inspect: str
    lint: str
    sparsify: str
    densify: str
    again: str
    verify: str


def sources() -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Every model by its name: real ones, those of testdata, and those that tests build."""
    for name in all_real_models():
        yield f"real {name}", real_model(name).read_bytes
    for name, make in MODELS.items():
        yield f"testdata {name.removesuffix('.tflite')}", make
    for name, case in CASES.items():
        yield f"case {name}", case.build
    for code, pair in LINT_CASES.items():
        yield f"lint {code}", pair.trigger
        yield f"lint {code}, near miss", pair.near_miss
    for seed in range(_RANDOM):
        yield f"random {seed}", lambda seed=seed: random_net(seed)[0]


def groups() -> list[str]:
    """Starts of names that cut the models into portions."""
    return list(dict.fromkeys(group_of(name) for name, _ in sources()))


def group_of(name: str) -> str:
    """The group of the model of a name."""
    return name.partition("." if name.startswith("case") else " ")[0]


def recorded() -> dict[str, str]:
    """The recorded lines by the names of their models."""
    lines = [text for text in RECORDED.read_text("utf-8").splitlines() if text.startswith("| ")]
    return {text.split(" | ")[0].removeprefix("| "): text for text in lines[1:]}


def outcomes(wanted: Callable[[str], bool]) -> list[Row]:
    """What comes of the models whose names are wanted, in their order."""
    with tempfile.TemporaryDirectory() as name:
        models = []
        for number, (title, make) in enumerate(sources()):
            if not wanted(title):
                continue
            home = Path(name, str(number))
            home.mkdir()
            (home / "model.tflite").write_bytes(make())
            models.append((title, home, _inspected(home), _rewritten(home)))
        verified = _verified({home: found for _, home, found, _ in models})
        return [
            Row(
                title,
                str((home / "model.tflite").stat().st_size),
                found,
                _linted(home),
                *done,
                verified[home],
            )
            for title, home, found, done in models
        ]


def line(row: Row) -> str:
    """A row as a line of Markdown."""
    cells = (str(getattr(row, column)).replace("|", "\\|") for column in _COLUMNS)
    return "| " + " | ".join(cells) + " |"


def table(lines: list[str]) -> str:
    """The lines of all models under their heading."""
    head = ["| " + " | ".join(_COLUMNS) + " |", "|---" * len(_COLUMNS) + "|"]
    return _HEAD + "\n".join([*head, *lines]) + "\n"


def record(starts: tuple[str, ...]) -> None:
    """Records what comes of models; the lines of the others stay.

    Args:
        starts: starts of the names of the models; none for all of them.
    """
    lines = recorded() if starts else {}
    fresh = outcomes(lambda name: name not in lines or name.startswith(starts))
    lines |= {row.model: line(row) for row in fresh}
    RECORDED.write_text(table([lines[name] for name, _ in sources()]), "utf-8")


def _inspected(home: Path) -> str:
    done = call("inspect", home / "model.tflite", "--json", "--no-gzip")
    if done.code == 2:
        return _message(done.err)
    model = done.document("inspect")["models"][0]
    words = model["runtime"][0]["outcome"] if model["runtime"] else "no plan"
    problems = len(model["problems"])
    return f"{words}, {problems} problems" if problems else words


def _linted(home: Path) -> str:
    done = call("lint", home / "model.tflite", "--isolated", "--format", "json", "-j", "1")
    if done.code == 2:
        return _message(done.err)
    codes = {finding["code"] for finding in done.document("lint")["findings"]}
    return " ".join(sorted(codes)) or "clean"


def _rewritten(home: Path) -> list[str]:
    """What the commands say that make each of the forms of a model from the one before."""
    said = []
    before = home / "model.tflite"
    for form in _FORMS:
        after = home / f"{form}.tflite"
        command = "densify" if form == "dense" else "sparsify"
        done = call(command, before, "-o", after, "--json", "--no-gzip")
        if done.code:
            said.append(_message(done.err))
            after.write_bytes(before.read_bytes())
        else:
            found = done.document("rewrite")
            count, size = len(found["weights"]), found["sizes"]["after"]
            assert size == after.stat().st_size
            said.append(f"{count} to {size}" if found["changed"] else "nothing")
        before = after
    return said


def _verified(inspected: dict[Path, str]) -> dict[Path, str]:
    """What the forms of each model compute, against the model."""
    jobs: list[tuple[Path, str, Any]] = []
    said: dict[Path, list[str]] = {home: [] for home in inspected}
    for home, found in inspected.items():
        if found.startswith("error"):
            said[home].append("not run")
            continue
        try:
            original = Model.read(home / "model.tflite")
            feeds = random_inputs(input_specs(original), 1)
        except TfliteSparseError as error:
            said[home].append(f"not run: {error.message}")
            continue
        jobs.append((home, "model", feeds))
        for form in _FORMS:
            path = home / f"{form}.tflite"
            if path.read_bytes() != (home / "model.tflite").read_bytes():
                changed = [w for w in diff(original, Model.read(path)).weights if not w.equal]
                said[home] += [f"{form}: {len(changed)} weights differ"] if changed else []
                jobs.append((home, form, feeds))
    ran: dict[tuple[Path, str, str], RunResult] = {}
    for backend in ("reference", "xnnpack"):
        paths = [(home / f"{form}.tflite", feeds) for home, form, feeds in jobs]
        for (home, form, _), result in zip(
            jobs, run_many(paths, backend=backend, timeout=120), strict=True
        ):
            ran[home, form, backend] = result
    for home, found in inspected.items():
        if (home, "model", "xnnpack") in ran:
            said[home].append(_compared(home, ran, broken=found.split(",")[0] in _FAILURES))
    return {home: "; ".join(parts) for home, parts in said.items()}


def _compared(home: Path, ran: dict[tuple[Path, str, str], RunResult], *, broken: bool) -> str:
    """How a model fares, and whether its forms fare and compute the same."""
    truth = ran[home, "model", "reference"]
    words = []
    for backend in ("xnnpack", "reference"):
        first = ran[home, "model", backend]
        forms = {f: ran[home, f, backend] for f in _FORMS if (home, f, backend) in ran}
        if broken and backend == "xnnpack":
            # What a model gives that reads memory that is not its own is no matter of record.
            words.append(f"{backend} fails, {_repaired(truth, forms)}")
            continue
        found = {form: _alike(first, result) or "OTHERWISE" for form, result in forms.items()}
        status = "ok" if first.ok else first.status
        words.append(f"{backend} {status}" + (f", {_summary(found)}" if found else ""))
    return "; ".join(words)


def _repaired(truth: RunResult, forms: dict[str, RunResult]) -> str:
    """What the forms without the fault compute: the dense one, and the one made of it."""
    dense = forms.get("dense")
    if dense is None:
        return "still"
    said = "as reference" if _alike(truth, dense) else "ok" if dense.ok else dense.status
    if "again" not in forms:
        return f"dense {said}"
    return f"dense {said}, again {_alike(dense, forms['again']) or 'OTHERWISE'}"


def _summary(found: dict[str, str]) -> str:
    if len(set(found.values())) <= 1:
        return next(iter(found.values()), "fails")
    return ", ".join(f"{form} {word}" for form, word in found.items())


def _alike(a: RunResult, b: RunResult) -> str:
    """In which way two runs are alike; "" for none."""
    if not a.ok or not b.ok:
        return "same" if a.status == b.status else ""
    pairs, problem = paired(a.trials, b.trials)
    if problem:
        return ""
    close = Tolerance(ROUNDING.atol, ROUNDING.rtol)
    for word, tolerance in (("same", Tolerance()), ("close", close)):
        if all(compare_output(name, x, y, tolerance).within for name, x, y in pairs):
            return word
    return ""


def _message(text: str) -> str:
    """An error without the name of the program and of the file."""
    words = text.strip().removeprefix("tflite-sparse: error: ").rpartition(".tflite: ")[2]
    return f"error: {words}"


if __name__ == "__main__":
    record(tuple(sys.argv[1:]))
