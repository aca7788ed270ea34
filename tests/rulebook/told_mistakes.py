"""The mistakes of mistakes/*.txt: what people write into rule files, and what `rules check` says about it.

A mistake has a title, the files as they are written, the command, and all that it prints, which ends with its exit
status. After a sentence was changed, `python -m tests.rulebook.told_mistakes` writes down anew what is said now; the
difference is what a reviewer reads.
"""

import argparse
import contextlib
import io
import os
import re
import shlex
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from remediator.cli.rules import add_commands

FAMILIES = Path(__file__).parent / "mistakes"
_FILE = re.compile(r"^--- (?P<name>\S+)(?: \(made: (?P<made>\S+)\))?\n", re.MULTILINE)

MADE: Mapping[str, Callable[[Path], object]] = {
    "bell": lambda path: path.write_text("rules: []\nowner: ring\a\n"),
    "binary": lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
    "dangling": lambda path: path.symlink_to("nowhere.yaml"),
    "deep": lambda path: path.write_text("rules: " + "[" * 10_000),
    "large": lambda path: path.write_bytes(b"#" * ((1 << 20) + 1)),
    "latin-1": lambda path: path.write_bytes("rules: []\n# geprüft\n".encode("latin-1")),
    "many": lambda path: path.write_text("rules:\n" + "".join(f"  - {{rule: r{n}}}\n" for n in range(2001))),
    "pipe": os.mkfifo,
}
"""What does not show in a text, by the name it has there."""


@dataclass(frozen=True)
class Mistake:
    """One entry of a family."""

    title: str
    files: str
    """As they stand in the family's text."""
    command: str
    said: str
    """All that is printed, and the exit status."""

    def __str__(self) -> str:
        return f"=== {self.title}\n{self.files}$ rules {self.command}\n{self.said}"

    def played(self, directory: Path) -> "Mistake":
        """The same, with what the command says in a directory that has just these files."""
        for name, made, text in self._files():
            path = directory / name
            path.parent.mkdir(exist_ok=True)
            MADE[made](path) if made else path.write_text(text)
        with contextlib.chdir(directory), contextlib.redirect_stdout(io.StringIO()) as printed:
            status = _run(shlex.split(self.command))
        return replace(self, said=f"{printed.getvalue()}exit status {status}\n")

    def _files(self) -> Iterator[tuple[str, str | None, str]]:
        _, *pieces = _FILE.split(self.files)
        for at in range(0, len(pieces), 3):
            yield pieces[at], pieces[at + 1], pieces[at + 2]


def read(family: Path) -> list[Mistake]:
    """All mistakes of a family, in their order."""
    found = []
    for entry in family.read_text().removeprefix("=== ").split("\n=== "):
        written, _, asked = f"{entry.rstrip()}\n".partition("$ rules ")
        title, _, files = written.partition("\n")
        command, _, said = asked.partition("\n")
        found.append(Mistake(title, files, command, said))
    return found


def _run(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="remediator")
    add_commands(parser.add_subparsers(required=True))
    args = parser.parse_args(["rules", *arguments])
    status: int = args.run(args)
    return status


def _write_anew() -> None:
    for family in sorted(FAMILIES.glob("*.txt")):
        played = []
        for mistake in read(family):
            with tempfile.TemporaryDirectory() as directory:
                played.append(str(mistake.played(Path(directory))))
        family.write_text("\n".join(played))


if __name__ == "__main__":
    _write_anew()
