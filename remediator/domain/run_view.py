"""What a step may know of the run it works for. Its state, lease and journal are not among it."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from remediator.domain.basis import Basis
from remediator.domain.target import Target
from remediator.domain.value import Value
from remediator.errors import Permanent

Mode = Literal["off", "shadow", "ask", "act"]
MODES: tuple[Mode, ...] = ("off", "shadow", "ask", "act")
"""In rising order of what is allowed."""


class TriggerAlert(Value):
    """The alert that made the run, as first received."""

    kind: Literal["alert"] = "alert"
    source: str
    fingerprint: str
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: datetime
    received_at: datetime

    @property
    def name(self) -> str:
        return self.labels.get("alertname", "")


class TriggerPerson(Value):
    """The person who asked for the run."""

    kind: Literal["person"] = "person"
    who: str
    why: str
    at: datetime
    undo_of: int | None = None
    """The run whose changes are to be taken back; None when a rule was started."""


Trigger = Annotated[TriggerAlert | TriggerPerson, Field(discriminator="kind")]
"""What made a run."""


class RunView(Value):
    """The run as its steps see it."""

    run_id: int
    rule: str
    rule_digest: str = ""
    """The version of the rule the run was planned by."""
    mode: Mode
    target: Target
    alert: TriggerAlert | None
    """None when a person asked for the run."""
    asked_by: TriggerPerson | None = None
    """None when an alert made the run."""
    created_at: datetime
    rung: int = 0
    """Which rung of the rule is at work."""
    acted_at: datetime | None = None
    """When the last effect of this rung was recorded; None before that."""
    depends_on: tuple[str, ...] = ()
    basis: Basis | None = None
    """What its plan was decided on; None before there is a plan."""

    @property
    def the_alert(self) -> TriggerAlert:
        """The alert, for steps that judge it. Raises Permanent when a person asked for the run."""
        if self.alert is None:
            raise Permanent("a person asked for this run: no alert made it")
        return self.alert
