"""`tflite-sparse lint`: the check before a release."""

from __future__ import annotations

import enum
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tflite_sparse.cli import options as opt
from tflite_sparse.cli.errors import FAILURE, report_note, report_problem
from tflite_sparse.cli.output import say
from tflite_sparse.cli.paths import find_models
from tflite_sparse.cli.progress import progress_bar
from tflite_sparse.cli.usage import complete
from tflite_sparse.cli.usage.verbosity import is_quiet
from tflite_sparse.cli.values import parse_input_shapes
from tflite_sparse.errors import TfliteSparseError, UsageError
from tflite_sparse.lint.finding import Severity
from tflite_sparse.report.lint.formats import REPORTERS
from tflite_sparse.words.numbers import count_of

if TYPE_CHECKING:
    from tflite_sparse.lint.baseline import Baseline
    from tflite_sparse.lint.config.config import Config
    from tflite_sparse.lint.config.found import FoundConfigs
    from tflite_sparse.lint.engine import FileReport
    from tflite_sparse.lint.run import LintRun
    from tflite_sparse.report.lint.options import ReportOptions

__all__ = ["Format", "command"]

# The members are those of the table.
Format = enum.Enum("Format", {name: name for name in REPORTERS})  # type: ignore[misc]
_TEXT = Format("text")
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
        typer.Option(
            "--select",
            metavar="RULE",
            autocompletion=complete.rules,
            help="Check only these: code, name or prefix.",
        ),
    ] = None,
    ignore: Annotated[
        _Many,
        typer.Option(
            "--ignore", metavar="RULE", autocompletion=complete.rules, help="Leave these out."
        ),
    ] = None,
    target: Annotated[
        _Many,
        typer.Option(
            "--target",
            metavar="TARGET",
            autocompletion=complete.target_names,
            help="Processors that matter, such as arm64.  [default: arm64, armv7, wasm]",
        ),
    ] = None,
    runtime: Annotated[
        _Many,
        typer.Option(
            "--runtime",
            metavar="RELEASE",
            autocompletion=complete.releases,
            help="Releases that matter, such as litert-1.3.  [default: all of LiteRT 2]",
        ),
    ] = None,
    budget: Annotated[
        _Many,
        typer.Option("--budget", metavar="NAME=LIMIT", help='A limit, such as "max-size=4MiB".'),
    ] = None,
    input_shape: opt.InputShape = None,
    fail_on: Annotated[
        Severity | None,
        typer.Option(help="Severity from which a finding fails the run.  [default: warning]"),
    ] = None,
    output_format: Annotated[
        Format, typer.Option("--format", help="Output format.", show_default=True)
    ] = _TEXT,
    output_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the report to a file.")
    ] = None,
    statistics: Annotated[
        bool, typer.Option("--statistics", help="Count findings by rule.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="With each rule, why it matters and where to read on.")
    ] = False,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=0, help="Processes; 0 for one per processor.")
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
    from tflite_sparse.lint.baseline import Baseline
    from tflite_sparse.lint.config.arguments import keys_of_arguments
    from tflite_sparse.lint.config.found import FoundConfigs
    from tflite_sparse.report.json.documents import dump
    from tflite_sparse.report.json.settings import SettingsReport
    from tflite_sparse.report.lint.options import ReportOptions

    if dry_run and not fix:
        raise UsageError("--dry-run goes with --fix")
    arguments = keys_of_arguments(
        select=select or (),
        ignore=ignore or (),
        targets=target or (),
        runtimes=runtime or (),
        budgets=budget or (),
        input_shapes=parse_input_shapes(input_shape),
    )
    models, missing = _models(paths)
    failed = bool(missing)
    settings = FoundConfigs(models, _config(config, isolated=isolated), arguments, fail_on)
    _tell_unmatched(settings, paths)
    if show_config:
        typer.echo(dump(SettingsReport.of(settings, models).to_dict()))
    elif fix:
        failed |= _fix(settings, models, dry_run=dry_run)
    if show_config or dry_run:
        return FAILURE if failed else 0
    # What is written is all that is found, whatever an earlier baseline knows.
    known = None if write_baseline else baseline or settings.baseline
    run = _run(settings, models, missing, jobs or os.cpu_count() or 1, known)
    if write_baseline is not None:
        written = Baseline.of(run.findings, write_baseline.parent)
        changes = _changes(written, write_baseline)
        _write(write_baseline, written.text())
        say(f"{count_of(len(run.findings), 'finding')} written to {write_baseline}{changes}")
    else:
        options = ReportOptions(fail_on=settings.fail_on, statistics=statistics, explain=explain)
        _report(run, options, output_format, output_file)
    for report in run.files:
        # What names no file was told when it was looked for.
        if report.error is not None and report not in missing:
            report_problem(report.error)
    if failed or run.errors:
        return FAILURE
    return int(write_baseline is None and run.fails(settings.fail_on))


def _changes(written: Baseline, path: Path) -> str:
    """What is said of the baseline that another one replaces; nothing where there is none."""
    try:
        dropped, new = written.changes(type(written).read(str(path)))
    except UsageError:
        return ""
    return f"; {dropped:,} of the old baseline dropped, {new:,} new"


def _models(paths: list[str]) -> tuple[list[str], list[FileReport]]:
    """The files to look at, and a report for each argument that names none."""
    from tflite_sparse.lint.engine import FileReport
    from tflite_sparse.lint.rule import all_rules

    codes = {rule.code for rule in all_rules()}
    code = next((path for path in paths if path.upper() in codes and not Path(path).exists()), None)
    if code is not None:
        raise UsageError(
            f"{code} is a rule, and lint takes models",
            hint=f"'tflite-sparse rule {code.upper()}' explains it, --select {code.upper()}"
            " checks it alone",
        )
    results = find_models(paths)
    for problem in results:
        if isinstance(problem, TfliteSparseError):
            report_problem(str(problem))
    missing = [
        FileReport(problem.place.file or "", error=str(problem))
        for problem in results
        if isinstance(problem, TfliteSparseError)
    ]
    return [path for path in results if isinstance(path, str)], missing


def _config(path: Path | None, *, isolated: bool) -> Config | None:
    """The one configuration that was asked for; None to look for those that apply."""
    from tflite_sparse.lint.config.config import Config, read_config

    if isolated:
        return Config()
    return None if path is None else read_config(path)


def _run(
    config: FoundConfigs,
    models: list[str],
    missing: list[FileReport],
    processes: int,
    baseline: str | Path | None,
) -> LintRun:
    from tflite_sparse.lint.baseline import Baseline
    from tflite_sparse.lint.run import lint_files, make_run

    accepted = None if baseline is None else Baseline.read(str(baseline))
    folder = Path(baseline or ".").parent
    work = [(path, config.settings(path)) for path in models]
    with progress_bar("linting", ticks=False) as progress:
        reports = lint_files(work, processes=processes, progress=progress)
    return make_run([*reports, *missing], accepted, folder)


def _tell_unmatched(config: FoundConfigs, paths: list[str]) -> None:
    for file, pattern in config.unmatched([path for path in paths if Path(path).is_dir()]):
        report_note(f"{file}: {pattern!r} in 'match' matches none of the models")


def _report(run: LintRun, options: ReportOptions, form: Format, file: Path | None) -> None:
    """Writes the report; beside one that goes to a file people get theirs."""
    if file is not None or form is not _TEXT or not is_quiet():
        _write(file, REPORTERS[form.value](run, options))
    if file is not None and not is_quiet():
        _write(None, REPORTERS[_TEXT.value](run, options))


def _write(path: Path | None, text: str) -> None:
    """Writes to a file, or to the standard output where there is none."""
    from tflite_sparse.files.output import replacing

    if path is None:
        sys.stdout.write(text)
        return
    with replacing(path) as file:
        file.write(text.encode("utf-8", "backslashreplace"))


def _fix(config: FoundConfigs, models: list[str], *, dry_run: bool) -> bool:
    """Fixes files and says what was done; whether a file could not be read or written."""
    from tflite_sparse.files.output import replacing
    from tflite_sparse.lint.fix import fix
    from tflite_sparse.report.lint.fixes import fix_lines

    failed = False
    for path in models:
        result = fix(path, config.settings(path))
        if result.error is not None:
            report_problem(result.error)
            failed = True
            continue
        for line in fix_lines(result, dry_run=dry_run):
            say(line)
        if result.content is not None and not dry_run:
            with replacing(path) as file:
                file.write(result.content)
    return failed
