"""What the sections of a digest are filled in from."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from remediator.digest.section import Period
from remediator.domain.rule_mode import RuleMode
from remediator.kit import Kit
from remediator.rulebook.rule import Rule
from remediator.store.database import Database


@dataclass(frozen=True, slots=True)
class Stretch:
    """The time that a digest is about: the last day or the last seven."""

    period: Period
    end: datetime

    @property
    def length(self) -> timedelta:
        return timedelta(days=1 if self.period == "daily" else 7)

    @property
    def begin(self) -> datetime:
        return self.end - self.length


@dataclass(frozen=True, slots=True)
class Sources:
    """Nothing in it can change anything."""

    stretch: Stretch
    kit: Kit
    database: Database
    rules: Callable[[], Sequence[Rule]]
    """Those in force."""
    rule_modes: Callable[[], Awaitable[Sequence[RuleMode]]]
    opted_in: Callable[[], Awaitable[Collection[str]]]
    """The namespaces that this daemon looks after. Raises Retryable or Permanent."""
    watchdog: str
    """The name of the alert that always fires."""
