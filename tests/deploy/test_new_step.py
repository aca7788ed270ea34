"""docs/adding-a-step.md is enough: whoever touches just its three files has a step that passes the checks."""

import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.deploy.manifests import ROOT

GUIDE = (ROOT / "docs" / "adding-a-step.md").read_text()
COPIED = (
    "remediator",
    "docs",
    "rules",
    "tests/guards",
    "tests/rulebook",
    "tests/support",
    "tests/sandbox",
    "tests/recordings",
)
FILES = ("tests/conftest.py", "pyproject.toml")

RULE = """
rules:
  - rule: by-day
    match: ['{alertname="Slow"}']
    guards:
      - office_hours: {from: 9, untill: 17}
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of this checkout in which the guide was followed to the letter."""
    for path in COPIED:
        shutil.copytree(ROOT / path, tmp_path / path, ignore=shutil.ignore_patterns("__pycache__"))
    for path in FILES:
        shutil.copy(ROOT / path, tmp_path / path)
    follow(tmp_path)
    return tmp_path


def follow(checkout: Path) -> None:
    fenced = re.findall(r"^```(\w+)\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
    step, an_import, line, test = [text for language, text in fenced if language == "python"]
    new_step, catalogue, new_test = re.findall(r"^\d\. `([^`]+)`", GUIDE, re.MULTILINE)
    (checkout / new_step).write_text(step)
    (checkout / new_test).write_text(test)
    after(checkout / catalogue, "from remediator.guards.limit import Limit\n", an_import)
    after(checkout / catalogue, '    | Annotated[Cooldown, _FIELDS, Tag("cooldown")]\n', line)
    for read_off, file in re.findall(r"`remediator (rules \w+) > (\S+)`", GUIDE):
        (checkout / file).write_text(run(checkout, "remediator", *read_off.split()).stdout)


def after(path: Path, line: str, added: str) -> None:
    text = path.read_text()
    assert text.count(line) == 1, f"{path.name} no longer has the line {line!r}"
    path.write_text(text.replace(line, line + added))


def run(checkout: Path, *command: str) -> subprocess.CompletedProcess[str]:
    # `python -m` puts the working directory first, so that the copy is imported and not what is installed.
    return subprocess.run(
        [sys.executable, "-m", *command], check=False, cwd=checkout, capture_output=True, text=True
    )


def test_its_test_and_those_of_the_rules_pass(checkout: Path) -> None:
    new_test = "tests/guards/test_office_hours.py"
    done = run(checkout, "pytest", "-q", "-p", "no:cacheprovider", new_test, "tests/rulebook")
    assert done.returncode == 0, done.stdout


def test_a_rule_may_name_it_and_mistakes_in_it_are_told(checkout: Path) -> None:
    (checkout / "mine.yaml").write_text(RULE)
    done = run(checkout, "remediator", "rules", "check", "mine.yaml")
    assert "office_hours.untill: unknown" in done.stdout
    assert "did you mean 'until'?" in done.stdout
    (checkout / "mine.yaml").write_text(RULE.replace("untill", "until"))
    assert run(checkout, "remediator", "rules", "check", "mine.yaml").returncode == 0


def test_it_is_written_as_the_house_writes(checkout: Path) -> None:
    files = ["remediator/guards/office_hours.py", "tests/guards/test_office_hours.py"]
    ruff = Path(sysconfig.get_path("scripts")) / "ruff"
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [ruff, *command, "--no-cache", *files], check=False, cwd=checkout, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout
