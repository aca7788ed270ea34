"""A procedure: what people do that this daemon does not, as data. Filling it in is handover.py's part.

Its commands are lists of arguments with `${fact}` from one closed list, and are never run here: a procedure is read,
agreed to and run by people.
"""

import re
from collections.abc import Iterable
from typing import Self

from pydantic import model_validator

from remediator.domain.facts import FACTS
from remediator.domain.levels import Level
from remediator.domain.value import Value

PLACEHOLDER = re.compile(r"\$\{([a-z_.]+)(?::([a-z]+))?\}")
"""`${database.name}`, or `${database.name:identifier}` inside of SQL."""
AS_WRITTEN_IN_SQL = ("identifier", "literal")
NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


class Command(Value):
    """One line for a shell of the person's own: programs that hand on their output, and where that goes."""

    pipeline: tuple[tuple[str, ...], ...]
    into: str | None = None
    """The file that takes the output."""
    given: str | None = None
    """The file that the first program reads."""

    def pipe(self, *argv: str) -> "Command":
        """The same, with another program behind it."""
        return self.model_copy(update={"pipeline": (*self.pipeline, argv)})

    @property
    def words(self) -> tuple[str, ...]:
        """Everything that may hold a placeholder."""
        files = (each for each in (self.given, self.into) if each is not None)
        return (*(word for argv in self.pipeline for word in argv), *files)


def run(*argv: str, into: str | None = None, given: str | None = None) -> Command:
    """A command of one program."""
    return Command(pipeline=(argv,), into=into, given=given)


class Step(Value):
    """One thing to do, in its order."""

    text: str
    """What is done here and what to see before going on."""
    commands: tuple[Command, ...] = ()
    """None where a person does something that no command can say."""
    when: tuple[str, str] | None = None
    """A fact and what it must be; with another value the step does not belong to the procedure."""


class Precondition(Value):
    """What has to hold before it is begun, and the fact that tells."""

    text: str
    fact: str
    equals: str | None = None
    """The value it must have; None where it is enough that the fact is known."""
    at_most: float | None = None
    """For a fact that is a number."""


class Wrong(Value):
    """A command of the runbook that people used before, and why it is not handed over as it was."""

    old: str
    why: str


class Procedure(Value):
    """One procedure, named as rule files name it."""

    name: str
    title: str
    source: str
    """The section of the old runbook."""
    level: Level
    approver: str
    """Who has to agree before the first step."""
    when: tuple[str, str] | None = None
    """A fact and what it must be; with another value there is nothing here for it, and it is not handed over."""
    preconditions: tuple[Precondition, ...] = ()
    steps: tuple[Step, ...]
    wrong: tuple[Wrong, ...] = ()

    @property
    def facts(self) -> frozenset[str]:
        """Every fact that has to be known to fill it in."""
        found = {each.fact for each in self.preconditions}
        found |= {when[0] for when in (self.when, *(each.when for each in self.steps)) if when is not None}
        return frozenset(found | {fact for each in self.steps for fact in facts_of(each)})

    @model_validator(mode="after")
    def _can_be_filled_in(self) -> Self:
        if not NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is not a procedure's name")
        unknown = sorted(self.facts - FACTS.keys())
        if unknown:
            raise ValueError(f"{self.name}: there are no facts {', '.join(unknown)}")
        for word in (word for step in self.steps for each in step.commands for word in each.words):
            if "${" in PLACEHOLDER.sub("", word):
                raise ValueError(f"{self.name}: {word!r} holds a placeholder that is none")
            if any(each not in ("", *AS_WRITTEN_IN_SQL) for _, each in PLACEHOLDER.findall(word)):
                raise ValueError(f"{self.name}: {word!r}: SQL has identifiers and literals")
        return self


def facts_of(step: Step) -> frozenset[str]:
    """The facts that its commands and its text need."""
    return _named_in((step.text, *(word for each in step.commands for word in each.words)))


def _named_in(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(fact for text in texts for fact, _ in PLACEHOLDER.findall(text))
