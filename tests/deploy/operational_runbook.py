"""The rows of docs/operational-runbook.md, and what they name."""

import argparse
import re
from collections.abc import Sequence
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
    def things(self) -> list[tuple[str, str]]:
        """What it names: a kind and a name each."""
        return _THING.findall(self.by)

    @property
    def missing(self) -> list[str]:
        """What of that does not exist."""
        return [f"{kind} {name}" for kind, name in self.things if not exists(kind, name)]


def rows() -> list[Row]:
    """All of them, in their order."""
    lines = DOCUMENT.read_text().splitlines()
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
