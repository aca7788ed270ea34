"""What a stage works with, and the shape every stage has."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from remediator.domain.belonging import Belongs
from remediator.domain.levels import Level
from remediator.effects.doors import Effects
from remediator.kit import Kit
from remediator.people.roster import People
from remediator.run import Run, Verdict
from remediator.runbook.lease import Lease
from remediator.step import Guard
from remediator.store.database import Database
from remediator.telemetry import Metrics


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How long things wait."""

    hold: timedelta
    give_up_holding_after: timedelta
    verify_every: timedelta
    approval_expires: timedelta


@dataclass(frozen=True, slots=True)
class Desk:
    """Given to every stage; the same for all runs of this process."""

    owner: str
    """Names this process in leases."""
    database: Database
    kit: Kit
    effects: Effects
    always_on: tuple[Guard, ...]
    channels: tuple[str, ...]
    """Where notices go: every notifier, and the Event on the target."""
    rhythm: Rhythm
    metrics: Metrics
    people: People
    levels: Mapping[str, Level]
    """How much care each action takes."""
    belonging: Belongs
    """Nothing moves in another cluster's database."""


class Stage(Protocol):
    """One line of the runbook: looks at a run and answers a verdict. It never names the state that follows."""

    def __init__(self, desk: Desk) -> None: ...

    async def decide(self, run: Run, lease: Lease) -> Verdict:
        """What becomes of the run. Raises Retryable, Permanent or a database error when it cannot tell."""
