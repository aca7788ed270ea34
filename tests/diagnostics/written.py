"""Logs as long as a test wants them, cut as an API server cuts them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from remediator.sandbox.kubernetes import Emulator, Fault
from remediator.sandbox.kubernetes.answers import Answer
from remediator.sandbox.kubernetes.faults import Action, Exchange, Reply
from tests.guards.facts import Facts

_BEGAN = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


@dataclass
class Written(Action):
    """Every container has written these lines, the first at noon and one each 10 ms after it."""

    lines: Sequence[str]
    asked: list[Mapping[str, str]] = field(default_factory=list)
    """The query of each request."""

    async def play(self, exchange: Exchange) -> Reply:
        query = exchange.call.query
        self.asked.append(query)
        first = max(0, len(self.lines) - int(query.get("tailLines", len(self.lines))))
        limit, size, chosen = int(query.get("limitBytes", 2**62)), 0, list[str]()
        for number in range(first, len(self.lines)):
            stamp = (_BEGAN + timedelta(milliseconds=10 * number)).strftime("%Y-%m-%dT%H:%M:%S.%f000Z ")
            line = f"{stamp if query.get('timestamps') else ''}{self.lines[number]}\n"
            chosen.append(line)
            size += len(line.encode())
            if size >= limit:
                break
        text = "".join(chosen).encode()[:limit].decode("utf-8", errors="ignore")
        return Answer(200, text, {"Content-Type": "text/plain"})


@contextmanager
def written(emulator: Emulator, lines: Sequence[str]) -> Iterator[list[Mapping[str, str]]]:
    """While it lasts, these are the logs of every container; the queries they were asked for with."""
    action = Written(lines)
    emulator.faults.add(Fault("GET", "/log$", action, times=None))
    yield action.asked
    emulator.faults.clear()


@contextmanager
def many_lines(facts: Facts, lines: Sequence[str]) -> Iterator[list[Mapping[str, str]]]:
    with written(facts.emulator, lines) as asked:
        yield asked
