"""Expected and seen, side by side."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from remediator.trial.case import Case
from remediator.trial.expected import Expected
from remediator.trial.moment import at_text
from remediator.trial.seen import Event, Seen

_NEVER_UNEXPECTED = ("acts", "asks", "ends")
"""What a test has to name whenever it happens: a change that nobody expected is a failure."""


@dataclass(frozen=True)
class Line:
    """One line of a diff: `-` expected and not seen, `+` seen and not expected, or both as expected."""

    at: timedelta
    mark: str
    text: str

    def __str__(self) -> str:
        return f"{self.mark} {at_text(self.at):>8}  {self.text}"


def differences(case: Case, seen: Seen) -> tuple[Line, ...]:
    """The diff in the order of time; empty when everything is as expected."""
    ends = max(each.at for each in case.expect)
    left = [each for each in seen.events if each.at <= ends]
    lines: list[Line] = []
    missed = False
    for expected in sorted(case.expect, key=lambda each: each.at):
        found = next((each for each in left if _meets(each, expected)), None)
        if found is None:
            missed = True
            lines.append(Line(expected.at, "-", _wanted(expected)))
            lines += _instead(expected, seen.events)
        else:
            lines.append(Line(expected.at, " ", _wanted(expected)))
            if found.kind in _NEVER_UNEXPECTED:
                left.remove(found)
    surplus = [Line(each.at, "+", told(each)) for each in left if each.kind in _NEVER_UNEXPECTED]
    lines += surplus
    unasked = list(_unasked(case, seen))
    if not (missed or surplus or unasked):
        return ()
    lines.sort(key=lambda each: each.at)
    return tuple(dict.fromkeys([*lines, *unasked]))


def _meets(event: Event, expected: Expected) -> bool:
    return (
        event.kind == expected.kind
        and event.stands_at(expected.at)
        and expected.what in event.names
        and expected.target in (None, event.target)
        and expected.rule in (None, event.rule)
        and (expected.because is None or expected.because in event.sentence)
    )


def _instead(expected: Expected, events: Sequence[Event]) -> Iterator[Line]:
    """What there was at that time."""
    standing = [each for each in events if each.stands_at(expected.at)]
    if not standing:
        yield Line(expected.at, "+", "nothing is decided at this time")
    for each in standing:
        yield Line(expected.at, "+", told(each))


def _wanted(expected: Expected) -> str:
    narrowed = [str(each) for each in (expected.target, expected.rule) if each is not None]
    text = f"{expected.kind}: {expected.what}"
    text += f" ({', '.join(narrowed)})" if narrowed else ""
    return text + (f": ... {expected.because} ..." if expected.because is not None else "")


def told(event: Event) -> str:
    """An event as one line, without its time."""
    about = ", ".join(each for each in (event.target, event.rule) if each)
    text = f"{event.kind}: {', '.join(event.names) or 'something'}"
    return text + (f" ({about})" if about else "") + (f": {event.sentence}" if event.sentence else "")


def _unasked(case: Case, seen: Seen) -> Iterator[Line]:
    """Answers to queries that nobody asked are slips: the rule asks something else."""
    for each in case.metrics:
        if each.query not in seen.asked:
            yield Line(timedelta(0), "-", f"asks Prometheus: {each.query}")
            for query in sorted(seen.asked):
                yield Line(timedelta(0), "+", f"asks Prometheus: {query}")
