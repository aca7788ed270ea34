"""`remediator rules test`, as it is called from a shell."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.trial.test_trials import API, HEAD, ROLLED_BACK, RULE

TWO = f"{HEAD}{API}    expect:\n{ROLLED_BACK}"


def run(*arguments: str | Path) -> tuple[int, str, str]:
    """In a process of its own: PostgreSQL has to be started by a main thread."""
    ran = subprocess.run(
        [sys.executable, "-m", "remediator", "rules", "test", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return ran.returncode, ran.stdout, ran.stderr


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "rules.yaml").write_text(RULE)
    (tmp_path / "a.test.yaml").write_text(TWO)
    return tmp_path / "a.test.yaml"


def test_what_passes_says_success_and_what_was_not_exercised_fails_only_when_asked_to(file: Path) -> None:
    status, out, error = run(file.parent, "--coverage=fail")
    assert (status, error) == (1, "")
    assert out.startswith(f"Unit Testing:  {file}\n  SUCCESS\n\nCoverage:  66 % of 1 rules\n")
    assert "\n  bad-release: cooldown: {for: 1h} refused: never\n" in out
    assert run(file)[:2] == (0, f"Unit Testing:  {file}\n  SUCCESS\n\n")


def test_what_fails_says_the_name_of_the_test_and_the_difference(file: Path) -> None:
    file.write_text(TWO.replace("1m, ends", "2m, ends"))
    status, out, _ = run(file)
    assert status == 1
    head, _, rest = out.partition("  FAILED:\n")
    assert head == f"Unit Testing:  {file}\n"
    assert rest.startswith(
        "    name: one,\n              0s  acts: rollback to api:v1\n      +       1m  ends: RESOLVED"
    )
    assert "\n      -       2m  ends: RESOLVED\n" in rest


def test_only_the_tests_that_are_asked_for_are_played(file: Path) -> None:
    file.write_text(TWO.replace("1m, ends", "2m, ends"))
    assert run(file, "--run", "another", "--run", "^on$")[:2] == (0, f"Unit Testing:  {file}\n  SUCCESS\n\n")


def test_a_mistake_in_a_file_is_named_and_nothing_of_it_is_played(file: Path) -> None:
    file.write_text(TWO.replace("acts:", "act:"))
    status, out, error = run(file)
    assert (status, error) == (1, "")
    assert "a.test.yaml:13:18: tests[0].expect[0].act: unknown key, did you mean 'acts'?" in out
    assert "Unit Testing" not in out


def test_wrong_usage_is_neither_passed_nor_failed(file: Path) -> None:
    assert run()[0] == 2
    status, _, error = run(file, "--run", "(")
    assert status == 2
    assert "'(' is no regular expression" in error
