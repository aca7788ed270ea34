"""When a target is left to people: what was tried on it and failed, and the breaker that this opens."""

from datetime import datetime
from typing import Literal

from remediator.domain.value import Value


class Failure(Value):
    """A run that an alert made, that changed something, and that did not end the trouble."""

    run_id: int
    rule: str
    target: str
    incident_id: int
    tried: tuple[str, ...]
    """The actions, in order."""
    acted_at: datetime
    failed_at: datetime
    """When its alert came back, or the run ended."""
    how: Literal["came_back", "escalated"]

    @property
    def sentence(self) -> str:
        how = "ended ESCALATED at" if self.how == "escalated" else "helped, and its alert came back at"
        tried = " and ".join(dict.fromkeys(self.tried))
        return f"{tried} at {self.acted_at:%H:%M} by run {self.run_id} of {self.rule} {how} {self.failed_at:%H:%M}"


class Opening(Value):
    """One time in which a breaker was open: only people act on the target."""

    id: int
    target: str
    opened_at: datetime
    until: datetime
    why: str
    """What was tried, sentence by sentence."""
    rules: tuple[str, ...]
    closed_at: datetime | None = None
    closed_by: str | None = None
    closed_why: str | None = None


class BreakerState(Value):
    """A target's breaker as it is now."""

    opening: Opening | None = None
    """None while it is closed."""
    failures: tuple[Failure, ...] = ()
    """Those that count towards opening it, oldest first."""
    opens_at: int
    """With so many it opens."""

    @property
    def why_open(self) -> str | None:
        """What was tried, when the target is left to people; None when it is not.

        Enough failures make it so, whether or not anybody has written that down yet.
        """
        if self.opening is not None:
            return self.opening.why
        return told(self.failures) if len(self.failures) >= self.opens_at else None


def told(failures: tuple[Failure, ...]) -> str:
    """What was tried, for people."""
    return "; ".join(each.sentence for each in failures)
