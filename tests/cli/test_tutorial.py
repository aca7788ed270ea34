"""docs/tutorial.md, done to the letter: every command one after the other, in an empty folder, as a reader would."""

import os
import re
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

TUTORIAL = (Path(__file__).parents[2] / "docs" / "tutorial.md").read_text()
COMMAND = re.compile(r"^\$ (?P<line>.*(?:<<'(?P<end>\w+)')\n(?:.*\n)*?(?P=end)|.*)$", re.MULTILINE)


def commands() -> Iterator[tuple[str, str]]:
    """Each command with what the tutorial shows of its output."""
    for block in re.findall(r"^```console\n(.*?)^```$", TUTORIAL, re.DOTALL | re.MULTILINE):
        found = list(COMMAND.finditer(block))
        for this, following in zip(found, [*found[1:], None], strict=True):
            shown = block[this.end() : following.start() if following else None]
            yield this["line"], shown.lstrip("\n")


def shows(shown: str, printed: str) -> bool:
    """Whether this is what the tutorial shows: a line of dots is any lines, dots in a line any text."""
    pattern = ""
    for line in shown.splitlines():
        text = ".*".join(re.escape(part) for part in line.split("..."))
        pattern += r"(?:.*\n)*?" if line == "..." else rf"{text}\n"
    return re.fullmatch(pattern, printed) is not None


@pytest.mark.timeout(400)
def test_every_command_does_what_is_shown(tmp_path: Path) -> None:
    scripts = sysconfig.get_path("scripts")
    environment = {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"}
    ran = 0
    for command, shown in commands():
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=180,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}"
        assert shows(shown, done.stdout), f"{command}\nprinted\n{done.stdout}\nand not\n{shown}"
        ran += command.startswith("remediator ")
    assert ran >= 8


def test_what_is_shown_is_compared() -> None:
    assert shows("a\n...\nc 5...\n", "a\nb\nb\nc 5 s\n")
    assert shows("...\n", "")
    assert not shows("a\n...\n", "b\na\n")
    assert not shows("a\n", "a\nb\n")
    assert not shows("", "a warning\n")
