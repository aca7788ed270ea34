"""Fills in a digest: every section beside the others, each within its deadline."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from remediator.digest import (
    access,
    alerts,
    backups,
    capacity,
    databases,
    error_rates,
    left_to_people,
    locked_targets,
    performance,
    resource_use,
    rules,
    security_events,
    slos,
    slow_statements,
)
from remediator.digest.section import Digest, Found, Period, Section, unknown
from remediator.digest.sources import Sources
from remediator.errors import Retryable
from remediator.runbook.call_step import Unanswered, call_step
from remediator.store.database import DATABASE_ERRORS

Fill = Callable[[Sources], Awaitable[Found]]
_BOTH: tuple[Period, ...] = ("daily", "weekly")
_WEEKLY: tuple[Period, ...] = ("weekly",)


@dataclass(frozen=True, slots=True)
class Entry:
    """One section: its title, what fills it in, in which digests it stands, and how long it may take, in seconds."""

    title: str
    fill: Fill
    periods: tuple[Period, ...] = _BOTH
    seconds: float = 11.0

    @property
    def name(self) -> str:
        """That of its file."""
        return self.fill.__module__.rpartition(".")[2]


SECTIONS = (
    Entry("Service level objectives", slos.fill),
    Entry("Error rates", error_rates.fill),
    Entry("Alerts", alerts.fill),
    Entry("Resource use", resource_use.fill),
    Entry("Performance", performance.fill, _WEEKLY),
    Entry("Capacity", capacity.fill, _WEEKLY),
    Entry("Security events", security_events.fill),
    Entry("Access", access.fill, _WEEKLY),
    Entry("Databases", databases.fill, _WEEKLY),
    Entry("Slow statements", slow_statements.fill),
    Entry("Backups", backups.fill),
    Entry("Locked targets", locked_targets.fill),
    Entry("Rules", rules.fill),
    Entry("Left to people", left_to_people.fill, _WEEKLY),
)
"""In the order they are read. All deadlines are less than the command line waits for the whole."""


async def compose(sources: Sources) -> Digest:
    """The digest of the sources' stretch. A source that is away costs its own section, which says so."""
    stretch = sources.stretch
    chosen = [each for each in SECTIONS if stretch.period in each.periods]
    sections = await asyncio.gather(*(filled(each, sources) for each in chosen))
    return Digest(period=stretch.period, begin=stretch.begin, end=stretch.end, sections=tuple(sections))


async def filled(entry: Entry, sources: Sources) -> Section:
    """One section. Whatever goes wrong, it is there and says what."""
    deadline = timedelta(seconds=entry.seconds)
    found = await call_step(entry.name, _fill(entry, sources), deadline)
    if isinstance(found, Unanswered):
        found = Found(lines=(unknown(found.why),))
    return Section(name=entry.name, title=entry.title, lines=found.shortened(), details=found.details)


async def _fill(entry: Entry, sources: Sources) -> Found:
    try:
        return await entry.fill(sources)
    except DATABASE_ERRORS as reason:
        raise Retryable(f"our own database: {str(reason) or type(reason).__name__}") from reason
