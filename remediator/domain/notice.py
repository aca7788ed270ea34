"""A notice to people: what was seen and done, short enough to read at 3 a.m."""

from datetime import datetime

from remediator.domain.value import Value


class Notice(Value):
    """One message through the outbox. `key` is the same for every delivery of the same notice."""

    key: str
    at: datetime
    title: str
    """One line: `[RESOLVED] checkout-bad-release on deployment/checkout/api`."""
    text: str
    """A few lines: what fired, what was done or why not, what to do next."""
    severity: str = ""
    """P0 to P3: that of its incident, which it gets when it is put out; empty where there is none."""
    incident_id: int | None = None
    run_id: int | None = None
    target: str | None = None
    state: str | None = None
