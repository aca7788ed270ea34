"""The only place that reads this machine's clock.

Wall-clock time is for showing and for comparing with what others stamped; durations that decide
something (deadlines, leases) are measured with the monotonic clock or inside PostgreSQL.
"""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """The wall-clock time, aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never goes backwards."""


class SystemClock:
    """This machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()
