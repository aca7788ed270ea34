"""What is wrong in rule files: where exactly, in a plain sentence, with a near miss where there is one."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, NamedTuple

from remediator.errors import Permanent

Severity = Literal["error", "warning"]
"""Whether a file is refused for it, or it is only likely to be a mistake."""
YamlPath = tuple[str | int, ...]
"""The keys and indexes that lead to a value: ("rules", 0, "guards")."""

_MOST_NAMED = 16
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


class Place(NamedTuple):
    """Line and column of a file, counted from 1, in characters."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong at one path of one document."""

    path: YamlPath
    message: str
    hint: str = ""
    at_key: bool = False
    """The key itself is wrong, not its value."""
    offset: int | None = None
    """How many characters into the text of the value it is, where that is known."""
    place: Place | None = None
    """Where it is, when the path does not say it (a second key of the same name)."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something wrong, or likely so, at one place of one file. `line` is 0 when it is the file as a whole."""

    file: str
    line: int
    column: int
    path: str
    message: str
    hint: str = ""
    severity: Severity = "error"

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        where += ": warning" if self.severity == "warning" else ""
        return f"{where}: {self.sentence}"

    @property
    def sentence(self) -> str:
        """What is wrong and how to mend it, without the place."""
        subject = f"{self.path}: " if self.path else ""
        joint = " " if self.hint.startswith("(") else ", "
        return f"{subject}{self.message}" + (f"{joint}{self.hint}" if self.hint else "")


class RulebookError(Permanent):
    """The rule files cannot be used; `problems` are all that was found, in the order of the files."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(each) for each in problems))
        self.problems = problems


def written(path: YamlPath) -> str:
    """A path as people write it: `rules[0].guards[1].cooldown`."""
    text = ""
    for piece in path:
        if isinstance(piece, int):
            text += f"[{piece}]"
        elif _PLAIN_KEY.fullmatch(piece):
            text += f".{piece}" if text else piece
        else:
            text += f"[{piece!r}]"
    return text


def nearest(word: str, known: Iterable[str]) -> str | None:
    """What was probably meant by a word that is not known."""
    by_lower = {each.lower(): each for each in known}
    close = get_close_matches(word.lower(), list(by_lower), n=1, cutoff=0.6)
    return by_lower[close[0]] if close else None


def did_you_mean(word: str) -> str:
    """The hint that names what was probably meant."""
    return f"did you mean '{word}'?"


def near_miss(word: str, known: Iterable[str]) -> str:
    """The same, for the nearest of the words that are known; an empty string when none is near."""
    close = nearest(word, known)
    return did_you_mean(close) if close is not None else ""


def known_here(known: Collection[str]) -> str:
    """The hint that names what may stand there, as far as anybody would read it."""
    if not known:
        return ""
    if len(known) > _MOST_NAMED:
        return "(`remediator rules reference` names all that may stand here)"
    return f"known here: {', '.join(known)}"
