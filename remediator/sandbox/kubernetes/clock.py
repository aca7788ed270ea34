"""The emulator's time: real, or moved by hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Whatever can say what time it is, in aware UTC."""

    def now(self) -> datetime:
        """The moment it is."""
        ...


class SystemClock:
    """The machine's clock: the emulator's controllers then work in the background."""

    def now(self) -> datetime:
        """The moment it is."""
        return datetime.now(UTC)


class DrivenClock:
    """A clock that stands still until `Emulator.advance` (or a test) moves it."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        if start.tzinfo is None:
            raise ValueError("a DrivenClock starts at an aware datetime")
        self._now = start

    def now(self) -> datetime:
        """The moment it was last moved to."""
        return self._now

    def move_to(self, moment: datetime) -> None:
        """Go on to `moment`.

        Raises:
            ValueError: time would go backwards.
        """
        if moment < self._now:
            raise ValueError(f"time does not go back from {self._now} to {moment}")
        self._now = moment

    def move_by(self, seconds: float) -> None:
        """Go on by `seconds`."""
        self.move_to(self._now + timedelta(seconds=seconds))


class CurrentMoment:
    """The emulator's view of `outer`, a clock that somebody else may have moved far ahead of what was done.

    While a call that was due earlier is made up for, the time is the moment it was due.
    """

    def __init__(self, outer: Clock) -> None:
        self.outer = outer
        self._moment: datetime | None = None

    def now(self) -> datetime:
        """The moment being made up for; else the outer clock's time."""
        return self._moment if self._moment is not None else self.outer.now()

    @property
    def is_standing(self) -> bool:
        """Whether a moment is being made up for."""
        return self._moment is not None

    @contextmanager
    def standing_at(self, moment: datetime) -> Iterator[None]:
        """Within it, `moment` is the time."""
        before, self._moment = self._moment, moment
        try:
            yield
        finally:
            self._moment = before


def rfc3339(moment: datetime) -> str:
    """metav1.Time: whole seconds, UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def rfc3339_micro(moment: datetime) -> str:
    """metav1.MicroTime: six decimals, UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_rfc3339(text: str) -> datetime:
    """Read either of the two.

    Raises:
        ValueError: it is neither.
    """
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)
