"""A procedure with every value filled in, for the person who takes over. Pure; nothing of it is ever run here."""

import shlex
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from remediator.domain.facts import FACTS
from remediator.domain.levels import Level
from remediator.domain.procedure import PLACEHOLDER, Command, Precondition, Procedure, Step, Wrong, facts_of
from remediator.domain.value import Value
from remediator.redaction.text import redact


class NotKnown(NamedTuple):
    """Why a fact could not be found out, as a sentence."""

    why: str


Known = Mapping[str, str | NotKnown]
"""What was found out of each fact that was asked for."""


class Tick(Value):
    """A precondition, held against what is so just now."""

    text: str
    answer: Literal["yes", "no", "not known"]
    why: str


class FilledStep(Value):
    """A step as it is handed over."""

    text: str
    commands: tuple[str, ...] = ()
    """Lines for a shell, quoted. None where a value is missing, or where no command can say it."""
    left_out: tuple[str, ...] = ()
    """Why it has none although it should."""


class Handover(Value):
    """What stands in the journal of the run, in its notice, and on the screen of whoever takes over."""

    procedure: str
    title: str
    source: str
    level: Level
    approver: str
    at: datetime
    """When the facts were looked at."""
    ticks: tuple[Tick, ...]
    steps: tuple[FilledStep, ...]
    wrong: tuple[Wrong, ...]

    @property
    def left_out(self) -> int:
        """How many steps could not be filled in."""
        return sum(1 for each in self.steps if each.left_out)


class _Missing(Exception):
    """A value that cannot be put into a command; the sentence says why."""


def filled_in(procedure: Procedure, known: Known, at: datetime) -> Handover:
    """The procedure with these facts. A step of which one is missing says so in the place of its commands."""
    return Handover(
        procedure=procedure.name,
        title=procedure.title,
        source=procedure.source,
        level=procedure.level,
        approver=procedure.approver,
        at=at,
        ticks=tuple(_tick(each, known) for each in procedure.preconditions),
        steps=tuple(_step(each, known) for each in procedure.steps if belongs(each, known)),
        wrong=procedure.wrong,
    )


def belongs(part: Procedure | Step, known: Known) -> bool:
    """Whether a procedure, or a step of one, has to do with how things are: what is not known rules nothing out."""
    if part.when is None:
        return True
    value = _value(part.when[0], known)
    return isinstance(value, NotKnown) or value == part.when[1]


def _value(fact: str, known: Known) -> str | NotKnown:
    return known.get(fact, NotKnown("nobody looked"))


def _step(step: Step, known: Known) -> FilledStep:
    needed = sorted(facts_of(step) | ({step.when[0]} if step.when is not None else set()))
    missing = [
        _sentence(fact, value.why) for fact in needed if isinstance(value := _value(fact, known), NotKnown)
    ]
    text = PLACEHOLDER.sub(lambda found: _in_prose(found.group(1), known), step.text)
    if missing:
        return FilledStep(text=text, left_out=tuple(missing))
    try:
        return FilledStep(text=text, commands=tuple(_line(each, known) for each in step.commands))
    except _Missing as reason:
        return FilledStep(text=text, left_out=(str(reason),))


def _sentence(fact: str, why: str) -> str:
    what, where = FACTS[fact]
    return f"not filled in: {what} is not known ({why}); find it with: {where}"


def _in_prose(fact: str, known: Known) -> str:
    value = _value(fact, known)
    return f"({FACTS[fact][0]})" if isinstance(value, NotKnown) else value


def _line(command: Command, known: Known) -> str:
    """The command as one line that means the same to every POSIX shell, whatever the values hold."""
    parts = [" ".join(_word(each, known) for each in argv) for argv in command.pipeline]
    if command.given is not None:
        parts[0] += f" < {_word(command.given, known)}"
    if command.into is not None:
        parts[-1] += f" > {_word(command.into, known)}"
    return _as_kept(" | ".join(parts))


def _word(word: str, known: Known) -> str:
    values = {fact: str(_value(fact, known)) for fact, _ in PLACEHOLDER.findall(word)}
    for fact, value in values.items():
        wrong = _unfit(value)
        if wrong is not None:
            raise _Missing(_sentence(fact, wrong))
    return shlex.quote(PLACEHOLDER.sub(lambda found: _written(values[found.group(1)], found.group(2)), word))


def _as_kept(line: str) -> str:
    """The line, if it is the same where secrets are taken out: with `***` in it it would be another command."""
    kept = redact(line)
    if kept != line:
        raise _Missing(f"not filled in: a name in it is taken for a secret, and would be kept as {kept!r}")
    return line


def _unfit(value: str) -> str | None:
    """Why a value may not stand in a line that people copy: it would read or run as something else."""
    if not value.strip():
        return "it is empty"
    if not value.isprintable():
        return "it holds characters that cannot be seen"
    return "it looks like an option" if value.startswith("-") else None


def _written(value: str, as_sql: str | None) -> str:
    match as_sql:
        case "identifier":
            return '"' + value.replace('"', '""') + '"'
        case "literal":
            # With a backslash the meaning of '...' hangs on standard_conforming_strings; that of E'...' does not.
            escaped = value.replace("'", "''").replace("\\", "\\\\")
            return f"E'{escaped}'" if "\\" in value else f"'{escaped}'"
        case _:
            return value


def _tick(condition: Precondition, known: Known) -> Tick:
    value = _value(condition.fact, known)
    what = FACTS[condition.fact][0]
    if isinstance(value, NotKnown):
        return Tick(text=condition.text, answer="not known", why=value.why)
    holds = condition.equals in (None, value)
    if condition.at_most is not None:
        holds = holds and float(value) <= condition.at_most
    return Tick(text=condition.text, answer="yes" if holds else "no", why=f"{what}: {value}")


def script(handover: Handover) -> str:
    """The whole handover as a shell reads it: everything but the commands is a comment.

    What follows a step that could not be filled in is a comment too, so that pasting it does not go on without it.
    """
    return "\n".join(_script(handover)) + "\n"


def _script(handover: Handover) -> Iterator[str]:
    yield f"# {handover.title} ({handover.procedure}, {handover.level})"
    yield f"# Facts of {handover.at:%Y-%m-%d %H:%M:%S} UTC. Nothing of this was run by remediator."
    yield f"# Has to agree first: {handover.approver}"
    for tick in handover.ticks:
        mark = {"yes": "x", "no": " ", "not known": "?"}[tick.answer]
        yield f"# [{mark}] {_plain(tick.text)}: {tick.answer} ({_plain(tick.why)})"
    if any(each.answer != "yes" for each in handover.ticks):
        yield "# NOT EVERY PRECONDITION HOLDS: settle that before the first step."
    stopped: int | None = None
    for number, step in enumerate(handover.steps, start=1):
        yield f"# {number}. {_plain(step.text)}"
        yield from (f"#    {_plain(each)}" for each in step.left_out)
        if stopped is not None and step.commands:
            yield f"#    only once step {stopped} is done:"
        yield from (f"#    {each}" if stopped is not None else each for each in step.commands)
        stopped = number if stopped is None and step.left_out else stopped
    for each in handover.wrong:
        yield f"# Not as it was done before: {each.old}"
        yield f"#    {each.why}"


def _plain(text: str) -> str:
    """On one line of what can be seen, so that it stays a comment."""
    return "".join(each if each.isprintable() else " " for each in text)
