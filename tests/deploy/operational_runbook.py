"""The rows of docs/operational-runbook.md, and what they name. Run as a program it serves the rows that waited."""

import argparse
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from remediator.catalogue import PROCEDURES
from remediator.cli.main import _parser
from remediator.rulebook.load import load
from remediator.rulebook.rule import Rule
from remediator.rulebook.shape import STEPS
from tests.deploy.manifests import ROOT

DOCUMENT = ROOT / "docs" / "operational-runbook.md"
_ROW = re.compile(r"^\| (3\.\d+\.\d+) \| (.+?) \| (served|handed over|open) \| ?(.*?) \| ?(.*?) \|$")
_THING = re.compile(r"(\w+) `([^`]+)`")
_AWAITS = "awaits "


class Row(NamedTuple):
    """One row."""

    number: str
    what: str
    status: str
    by: str
    proof: str

    @property
    def section(self) -> str:
        return self.number.rpartition(".")[0]

    @property
    def awaits(self) -> bool:
        return self.by.startswith(_AWAITS)

    @property
    def things(self) -> list[tuple[str, str]]:
        """What it names: a kind and a name each."""
        return _THING.findall(self.by.removeprefix(_AWAITS))

    @property
    def missing(self) -> list[str]:
        """What of that does not exist."""
        return [f"{kind} {name}" for kind, name in self.things if not exists(kind, name)]


def rows(text: str | None = None) -> list[Row]:
    """All of them, in their order."""
    lines = (text if text is not None else DOCUMENT.read_text()).splitlines()
    return [Row(*found.groups()) for line in lines if (found := _ROW.match(line))]


def exists(kind: str, name: str) -> bool:
    """Whether this daemon has it. Raises KeyError for a kind that nothing is of."""
    match kind:
        case "diagnostic" | "guard" | "action" | "verification":
            return name in STEPS[f"{kind}s"]
        case "procedure":
            return name in PROCEDURES
        case "rule":
            return name in {each.rule for each in load([ROOT / "rules"]).rules}
        case "field":
            return name in Rule.model_fields
        case "command":
            return _is_command(_parser(), name.split())
        case _:
            raise KeyError(kind)


def _is_command(parser: argparse.ArgumentParser, words: Sequence[str]) -> bool:
    """Whether the parser, and each below it, knows the next of these words."""
    if not words:
        return True
    under = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
    return any(words[0] in each.choices and _is_command(each.choices[words[0]], words[1:]) for each in under)


def proven(proof: str) -> bool:
    """Whether each test is there: `file::test`, and more of them after commas. A file by itself proves nothing."""
    return all(_is_test(*each.strip("`").partition("::")[::2]) for each in proof.split(", "))


def _is_test(file: str, function: str) -> bool:
    path = ROOT / file
    return path.is_file() and re.search(rf"def {function}\(", path.read_text()) is not None


def served(text: str) -> Iterator[str]:
    """The lines of the document, with each row that waited for what is there now marked as served."""
    for line in text.splitlines():
        found = _ROW.match(line)
        row = Row(*found.groups()) if found else None
        if row is not None and row.awaits and not row.missing and proven(row.proof):
            by = row.by.removeprefix(_AWAITS)
            yield f"| {row.number} | {row.what} | served | {by} | {row.proof} |"
        else:
            yield line


if __name__ == "__main__":
    DOCUMENT.write_text("\n".join(served(DOCUMENT.read_text())) + "\n")
    print(*(f"{each.number} {each.status} {each.by}" for each in rows() if each.status == "open"), sep="\n")
