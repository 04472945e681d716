"""`tflite-sparse lint`: the check before a release."""

from __future__ import annotations

import dataclasses
import enum
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tflite_sparse.cli.errors import FAILURE, report_problem
from tflite_sparse.cli.paths import find_models
from tflite_sparse.cli.progress import progress_bar
from tflite_sparse.errors import TfliteSparseError, UsageError

if TYPE_CHECKING:
    from tflite_sparse.lint.config import Config
    from tflite_sparse.lint.finding import Severity
    from tflite_sparse.lint.fix import FixReport
    from tflite_sparse.lint.run import LintRun

__all__ = ["Format", "Level", "command"]


class Format(str, enum.Enum):
    """Output formats."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"
    JUNIT = "junit"
    MARKDOWN = "markdown"


class Level(str, enum.Enum):
    """Severities on the command line."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


_Many = list[str] | None


def command(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH", help="Files, directories (all *.tflite in them) and patterns."
        ),
    ],
    select: Annotated[
        _Many,
        typer.Option("--select", metavar="RULE", help="Check only these: code, name or prefix."),
    ] = None,
    ignore: Annotated[
        _Many, typer.Option("--ignore", metavar="RULE", help="Leave these out.")
    ] = None,
    target: Annotated[
        _Many,
        typer.Option(
            "--target",
            metavar="TARGET",
            help="Processors that matter, such as arm64.  [default: arm64, armv7, wasm]",
        ),
    ] = None,
    budget: Annotated[
        _Many,
        typer.Option("--budget", metavar="NAME=LIMIT", help='A limit, such as "max-size=4MiB".'),
    ] = None,
    fail_on: Annotated[
        Level | None,
        typer.Option(help="Severity from which a finding fails the run.  [default: warning]"),
    ] = None,
    output_format: Annotated[
        Format, typer.Option("--format", help="Output format.", show_default=True)
    ] = Format.TEXT,
    output_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the report to a file.")
    ] = None,
    statistics: Annotated[
        bool, typer.Option("--statistics", help="Count findings by rule.")
    ] = False,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=0, help="Processes; 0 for one a processor.")
    ] = 0,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Read this configuration.")
    ] = None,
    isolated: Annotated[bool, typer.Option("--isolated", help="Read no configuration.")] = False,
    show_config: Annotated[
        bool, typer.Option("--show-config", help="Show the settings of each file, and stop.")
    ] = False,
    baseline: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Let the findings in it pass.")
    ] = None,
    write_baseline: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a baseline of what is found.")
    ] = None,
    fix: Annotated[
        bool, typer.Option("--fix", help="Fix what can be fixed safely, in the files themselves.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --fix: say what would be done, write nothing.")
    ] = False,
) -> int:
    """Check models before a release: broken, needlessly large, or sparse in vain."""
    if dry_run and not fix:
        raise UsageError("--dry-run goes with --fix")
    settings = _config(config, isolated=isolated)
    settings = _overridden(settings, select, ignore, target, budget, fail_on)
    models, failed = _models(paths)
    if show_config:
        _show(settings, models)
    elif fix:
        failed |= _fix(settings, models, dry_run=dry_run)
    if show_config or dry_run:
        return FAILURE if failed else 0
    run = _run(settings, models, jobs or os.cpu_count() or 1, baseline)
    if write_baseline is not None:
        _write_baseline(run, write_baseline)
    else:
        _report(run, output_format, output_file, settings.fail_on, statistics=statistics)
    for error in run.errors:
        report_problem(error)
    if failed or run.errors:
        return FAILURE
    return int(write_baseline is None and run.fails(settings.fail_on))


def _models(paths: list[str]) -> tuple[list[str], bool]:
    """The files to look at, and whether an argument names none."""
    found = find_models(paths)
    for problem in found:
        if isinstance(problem, TfliteSparseError):
            report_problem(str(problem))
    models = [path for path in found if isinstance(path, str)]
    return models, len(models) < len(found)


def _config(path: Path | None, *, isolated: bool) -> Config:
    from tflite_sparse.lint.config import Config, find_config, read_config

    if isolated:
        return Config()
    found = path or find_config(Path())
    return read_config(found) if found else Config()


def _overridden(
    config: Config,
    select: _Many,
    ignore: _Many,
    targets: _Many,
    budgets: _Many,
    fail_on: Level | None,
) -> Config:
    """The configuration with what the command line says in its place."""
    from tflite_sparse.xnnpack.releases.targets import target

    changes: dict[str, Any] = {}
    if select:
        changes["select"] = tuple(part for item in select for part in item.split(","))
    if ignore:
        changes["ignore"] = (*config.ignore, *(p for item in ignore for p in item.split(",")))
    if targets:
        changes["targets"] = tuple(target(name).name for name in dict.fromkeys(targets))
    if fail_on is not None:
        changes["fail_on"] = _severity(fail_on)
    if budgets:
        changes["budgets"] = {**config.budgets, **dict(_budget(item) for item in budgets)}
    return dataclasses.replace(config, **changes)


def _severity(level: Level) -> Severity:
    from tflite_sparse.lint.finding import Severity

    return Severity[level.name]


def _budget(text: str) -> tuple[str, float]:
    from tflite_sparse.lint.settings import BUDGETS
    from tflite_sparse.words.units import parse_share, parse_size

    name, _, limit = text.partition("=")
    if name not in BUDGETS or not limit:
        raise UsageError(f"{text!r} is no budget", hint="known: " + ", ".join(BUDGETS))
    parse = parse_size if name.endswith("size") else parse_share
    return name, parse(limit)


def _show(config: Config, models: list[str]) -> None:
    from tflite_sparse.report.json.documents import dump

    document = {
        "config": None if config.path is None else str(config.path),
        "fail-on": config.fail_on.label,
        "baseline": config.baseline,
        "files": {path: config.settings(path).to_dict() for path in sorted(models)},
    }
    typer.echo(dump(document))


def _run(config: Config, models: list[str], processes: int, baseline: Path | None) -> LintRun:
    from tflite_sparse.lint.baseline import Baseline
    from tflite_sparse.lint.run import lint_files, make_run

    known = str(baseline) if baseline is not None else config.baseline
    compared = None if known is None else Baseline.read(known)
    work = [(path, config.settings(path)) for path in models]
    with progress_bar("linting") as progress:
        reports = lint_files(work, processes=processes, progress=progress)
    return make_run(reports, compared)


def _write_baseline(run: LintRun, path: Path) -> None:
    from tflite_sparse.files.output import replacing
    from tflite_sparse.lint.baseline import Baseline

    with replacing(path) as file:
        file.write(Baseline.of(run.findings).text().encode())
    typer.echo(f"{len(run.findings)} findings written to {path}")


def _report(
    run: LintRun,
    output_format: Format,
    output_file: Path | None,
    fail_on: Severity,
    *,
    statistics: bool,
) -> None:
    text = _render(run, output_format, fail_on, statistics=statistics)
    if output_file is None:
        sys.stdout.write(text)
        return
    from tflite_sparse.files.output import replacing

    with replacing(output_file) as file:
        file.write(text.encode("utf-8", "backslashreplace"))


def _render(run: LintRun, output_format: Format, fail_on: Severity, *, statistics: bool) -> str:
    from tflite_sparse.report.lint import github, junit, sarif
    from tflite_sparse.report.lint import json as lint_json
    from tflite_sparse.report.lint import markdown as lint_markdown
    from tflite_sparse.report.lint import text as lint_text

    if output_format is Format.TEXT:
        return lint_text.text(run, statistics=statistics)
    if output_format is Format.JUNIT:
        return junit.text(run, fail_on)
    renderers = {
        Format.JSON: lint_json.text,
        Format.SARIF: sarif.text,
        Format.GITHUB: github.text,
        Format.MARKDOWN: lint_markdown.text,
    }
    return renderers[output_format](run)


def _fix(config: Config, models: list[str], *, dry_run: bool) -> bool:
    """Fixes files and says what was done; whether a file could not be read or written."""
    from tflite_sparse.files.output import replacing
    from tflite_sparse.lint.fix import fix

    failed = False
    for path in models:
        report = fix(path, config.settings(path))
        if report.error is not None:
            report_problem(report.error)
            failed = True
            continue
        _tell(report, dry_run=dry_run)
        if report.content is not None and not dry_run:
            with replacing(path) as file:
                file.write(report.content)
    return failed


def _tell(report: FixReport, *, dry_run: bool) -> None:
    would = "would have " if dry_run else ""
    for step in report.steps:
        typer.echo(f"{report.path}: {would}{step}")
    if report.content is not None:
        left = len(report.remaining)
        typer.echo(
            f"{report.path}: {report.size_before:,} -> {report.size_after:,} bytes;"
            f" {left} finding{'s' if left != 1 else ''} left"
        )
    else:
        typer.echo(f"{report.path}: nothing to fix")
