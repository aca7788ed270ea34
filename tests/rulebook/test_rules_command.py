"""`remediator rules`, as it is called from a shell."""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import pytest

from remediator.cli.rules import add_commands

FIVE_MISTAKES = """\
defaults: {owner: team-checkout, mode: shadw}
rules:
  - rule: checkout-bad-release
    match:
      - '{alertname="HighErrorRate", severity=critical"}'
    wait: 60
    guards:
      - cooldwn: {for: 1h}
    actions:
      - rollback
    verifications:
      - promql:
          query: sum(up{namespace="${label.ns}"})
          above: 0
"""

KNOWN = "known here: ${target.kind}, ${target.namespace}, ${target.name} and ${labels.NAME}"
SAID = """\
{file}:1:40: defaults.mode: expected off, shadow, ask or act, found 'shadw', did you mean 'shadow'?
{file}:5:55: rules[0].match[0]: the closing " is missing
{file}:6:11: rules[0].wait: a duration such as 30s, 5m or 1h30m, not 60 (add a unit)
{file}:8:9: rules[0].guards[0].cooldwn: unknown step, did you mean 'cooldown'?
{file}:13:36: rules[0].verifications[0].promql.query: unknown placeholder ${{label.ns}}, {known}
5 problems found
"""

NO_NAME = "is not a rule's name: up to 63 lower-case letters, digits, inner dashes"
FINE = "rules: [{rule: a, match: ['{alertname=\"X\"}']}]\n"


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser(prog="remediator")
    add_commands(parser.add_subparsers(required=True))
    args = parser.parse_args(["rules", *arguments])
    status = args.run(args)
    assert isinstance(status, int)
    return status


def test_five_different_mistakes_are_all_named_with_line_and_column(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "checkout.yaml"
    file.write_text(FIVE_MISTAKES)
    assert run("check", str(file)) == 1
    assert capsys.readouterr().out == SAID.format(file=file, known=KNOWN)


def test_files_without_mistakes_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.yaml").write_text(FINE)
    assert run("check", str(tmp_path)) == 0
    assert capsys.readouterr().out == "1 rule in 1 file is fine\n"
    (tmp_path / "b.yaml").write_text(FINE.replace("rule: a", "rule: b"))
    assert run("check", str(tmp_path)) == 0
    assert capsys.readouterr().out == "2 rules in 2 files are fine\n"


def test_programs_get_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.yaml").write_text(FINE)
    assert run("check", "--output", "json", str(tmp_path)) == 0
    fine = json.loads(capsys.readouterr().out)
    assert (fine["problems"], fine["rules"], fine["files"]) == ([], 1, 1)
    (tmp_path / "b.yaml").write_text(FINE)
    assert run("check", "--output", "json", str(tmp_path)) == 1
    assert json.loads(capsys.readouterr().out)["problems"] == [
        {
            "file": str(tmp_path / "b.yaml"),
            "line": 1,
            "column": 16,
            "path": "rules[0].rule",
            "message": f"'a' is already the name of the rule at {tmp_path / 'a.yaml'}:1",
            "hint": "",
            "severity": "error",
        }
    ]


def test_warnings_are_told_and_fail_only_when_asked_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(FINE.replace("}]", ", owner: no}]"))
    warning = "rules[0].owner: no is text here, but not to every program that reads YAML, quote it"
    assert run("check", str(file)) == 0
    assert capsys.readouterr().out == (
        f"{file}:1:54: warning: {warning}\n1 warning found\n1 rule in 1 file is fine\n"
    )
    assert run("check", "--lint-fatal", str(file)) == 1
    assert run("check", "--lint", "none", "--lint-fatal", str(file)) == 0
    capsys.readouterr()
    assert run("check", "--output", "github", str(file)) == 0
    assert capsys.readouterr().out == f"::warning file={file},line=1,col=54::{warning}\n"


def test_a_pull_request_is_annotated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "50%,a:b.yaml"
    file.write_text(FINE.replace("rule: a", "rule: 50%"))
    assert run("check", "--output", "github", str(file), str(tmp_path / "none.yaml")) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"::error file={tmp_path}/50%25%2Ca%3Ab.yaml,line=1,col=16::rules[0].rule: '50%25' {NO_NAME}",
        f"::error file={tmp_path}/none.yaml::cannot be read: No such file or directory",
    ]


def test_a_directory_without_rule_files_is_a_problem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("check", str(tmp_path)) == 1
    assert "no rule files" in capsys.readouterr().out


def test_no_path_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run("check")
    assert ended.value.code == 2
    assert "PATH" in capsys.readouterr().err


def test_checking_rules_does_not_import_the_kubernetes_client(tmp_path: Path) -> None:
    """It takes seconds to import, and rule files are checked before every commit."""
    (tmp_path / "a.yaml").write_text(FINE)
    program = (
        "import argparse, sys; from remediator.cli.rules import add_commands; "
        "parser = argparse.ArgumentParser(); add_commands(parser.add_subparsers()); "
        "args = parser.parse_args(sys.argv[1:]); status = args.run(args); "
        "sys.exit(status or 'kubernetes_asyncio' in sys.modules or 'asyncpg' in sys.modules)"
    )
    command = [sys.executable, "-c", program, "rules", "check", str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (0, "1 rule in 1 file is fine\n"), ended.stderr
