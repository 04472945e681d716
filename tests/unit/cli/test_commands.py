"""The table of commands."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tflite_sparse.cli.main import run
from tflite_sparse.cli.registry import COMMANDS
from tflite_sparse.cli.usage import complete
from tflite_sparse.xnnpack.releases.targets import targets

HEAVY = ("numpy", "rich", "ai_edge_litert", "jsonschema_rs")


@pytest.mark.parametrize("option", ["--version", "-h", "--help"])
def test_the_program_answers_without_a_model(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        run([option])
    assert stop.value.code == 0
    assert "tflite-sparse" in capsys.readouterr().out


def test_the_help_names_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(["-h"])
    out = capsys.readouterr().out
    assert "\nCommands:\n" in out
    assert "  inspect " in out


def test_without_arguments_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        run([])
    assert stop.value.code == 2
    assert capsys.readouterr().out.startswith("Usage: tflite-sparse")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["no-such-command"], "No such command 'no-such-command'"),
        (["--no-such-option"], "No such option: --no-such-option"),
        (["inspect"], "Missing argument 'MODEL'"),
        (
            ["inspect", "--sort", "colour", "m"],
            "Invalid value for '--sort': 'colour' is not one of",
        ),
    ],
)
def test_wrong_usage_is_one_line_and_code_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        run(arguments)
    captured = capsys.readouterr()
    assert stop.value.code == 2
    assert captured.out == ""
    assert captured.err.startswith("tflite-sparse: error: ")
    assert words in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize("command", [[], ["inspect"]])
def test_help_and_version_import_nothing_heavy(command: list[str]) -> None:
    code = (
        "import sys\n"
        "from tflite_sparse.cli.main import run\n"
        "try:\n"
        f"    run({[*command, '-h'] if command else ['--version']!r})\n"
        "finally:\n"
        f"    print([name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_every_command_of_the_table_has_one_module() -> None:
    assert len(set(COMMANDS.values())) == len(COMMANDS)


@pytest.mark.parametrize("columns", ["40", "80", "200"])
@pytest.mark.parametrize("command", [*COMMANDS, ""])
def test_help_is_whole_at_any_width_and_ends_with_an_example_and_an_address(
    command: str,
    columns: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    with pytest.raises(SystemExit):
        run([*filter(None, [command]), "-h"])
    out = capsys.readouterr().out
    assert command or "..." not in out.split("Commands:")[1]
    assert f"tflite-sparse {command or 'inspect'}" in " ".join(out.split("\n\n  ")[-2].split())
    page = f"commands/{command}.md" if command else "getting-started.md"
    assert out.rstrip().endswith(f"/docs/{page}")


@pytest.mark.parametrize(
    ("word", "meant"),
    [("optimise", "optimize"), ("Inspect", "inspect"), ("sparcify", "sparsify"), ("lnit", "lint")],
)
def test_a_mistyped_command_is_guessed(
    word: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        run([word, "m.tflite"])
    assert stop.value.code == 2
    assert f"did you mean {meant}" in capsys.readouterr().err


def test_a_shell_is_offered_targets_rules_and_passes() -> None:
    assert [name for name, _ in complete.target_names("arm64")] == ["arm64", "arm64-fp16"]
    assert ("TFS301", "TFS301 entry-ineligible") in complete.rules("TFS3")
    assert complete.passes("mir") == ["mirror"]
    assert ("litert-1.3", "LiteRT 1.3") in complete.releases("litert-1")


def test_a_shell_is_offered_only_what_a_command_takes() -> None:
    assert ("litert-1.3", "LiteRT 1.3.0") in complete.releases_to_run("litert-1")
    assert complete.releases_to_run("litertjs") == []
    assert [name for name, _ in complete.runtimes("arm")] == ["arm64"]
    assert complete.emulated("") == ["arm64", "x86-noavx"]
    assert [name for name, _ in complete.cpus("cortex-a7")] == ["cortex-a76"]


def test_the_list_of_targets_names_all(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(["targets"])
    out = capsys.readouterr().out
    assert all(target.name in out and target.runtime.name in out for target in targets())
