"""What a step may know of the run it works for. Its state, lease and journal are not among it."""

from datetime import datetime
from typing import Literal

from remediator.domain.target import Target
from remediator.domain.value import Value

Mode = Literal["off", "shadow", "ask", "act"]
MODES: tuple[Mode, ...] = ("off", "shadow", "ask", "act")
"""In rising order of what is allowed."""


class TriggerAlert(Value):
    """The alert that made the run, as first received."""

    source: str
    fingerprint: str
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: datetime
    received_at: datetime

    @property
    def name(self) -> str:
        return self.labels.get("alertname", "")


class RunView(Value):
    """The run as its steps see it."""

    run_id: int
    rule: str
    mode: Mode
    target: Target
    alert: TriggerAlert
    created_at: datetime
    rung: int = 0
    """Which rung of the rule is at work."""
    acted_at: datetime | None = None
    """When the last effect of this rung was recorded; None before that."""
    depends_on: tuple[str, ...] = ()
