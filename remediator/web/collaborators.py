"""What the web part is given by the daemon it belongs to."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from remediator.digest.section import Digest, Period
from remediator.domain.asked import NotStarted, Started
from remediator.domain.rule_mode import RuleMode
from remediator.domain.run_view import Mode
from remediator.domain.slo import Slos
from remediator.people.roster import People
from remediator.people.web_config import WebConfig
from remediator.rulebook.rule import Rule
from remediator.settings.load import Settings
from remediator.store.database import Database
from remediator.store.pauses import PauseRequest
from remediator.telemetry import Metrics


class AskedRuns(Protocol):
    """Makes the runs that people ask for."""

    async def start(
        self, rule_name: str, target: str, mode: Mode | None, who: str, why: str
    ) -> Started | NotStarted:
        """A run of a rule on `kind/namespace/name`. Raises ValueError when that names nothing."""

    async def undo(self, run_id: int, who: str, why: str) -> Started | NotStarted:
        """A run that takes back what an earlier one changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfIntake:
    """What taking alerts needs, and no more: all that a process of role intake has."""

    settings: Settings
    database: Database
    metrics: Metrics
    of_another_cluster: Callable[[], Awaitable[str | None]]
    """Why nothing of this cluster belongs into the database, as a sentence: it is another one's.

    None also while that cannot be told. Raises the database's errors.
    """
    why_not_act: Callable[[], Awaitable[str | None]]
    """Why this process may not act right now, as a sentence; None when it may."""
    web_config: WebConfig | None
    """web.config.file, where one is configured."""
    stored: Callable[[], None]
    """Told whenever alerts were committed, so that planning need not wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collaborators(OfIntake):
    """Everything the web part uses and does not own."""

    people: People
    rules: Callable[[], Sequence[Rule]]
    """The rules in force now, in their order."""
    rule_modes: Callable[[], Awaitable[Sequence[RuleMode]]]
    """How far each of them may go, and why, in the same order."""
    reload: Callable[[], Awaitable[str]]
    """Load the rules anew and say what was loaded.

    Raises Permanent with every mistake; the old ones stay in force then.
    """
    still_set: Callable[[PauseRequest], Awaitable[str | None]]
    """What has to be taken away before a pause can end, as a sentence; None when nothing has.

    Raises Retryable or Permanent when that cannot be known.
    """
    asked: AskedRuns
    slos: Slos
    digest: Callable[[Period], Awaitable[Digest]]
    """The digest of the day or the week that ends now. Raises nothing for a source that is away."""
