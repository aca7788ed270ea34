"""How far a rule may go now: the mode its file gives it, under everything that holds it lower. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, Protocol

from remediator.domain.run_view import MODES, Mode
from remediator.domain.value import Value

HeldBy = Literal["ceiling", "probation", "demoted", "rights"]
"""What kind of thing holds a rule below its configured mode."""


class Cap(Value):
    """One thing that lets no rule, or this rule, get further than `mode`."""

    mode: Mode
    why: str
    by: HeldBy = "ceiling"


class Standing(Value):
    """What the database knows of one version of a rule."""

    digest: str
    probation_since: datetime | None = None
    """Since when it has been loaded, in shadow or above; None while it is not."""
    approved_at: datetime | None = None
    approved_by: str | None = None
    inherits_from: str | None = None
    """The version whose standing it took over, because it only narrows that one."""
    demoted: Cap | None = None
    """What repeated failures have brought the rule down to, until a person approves it again."""

    def caps(self, probation: timedelta, now: datetime) -> list[Cap]:
        """What holds this version: its probation, and whether it was demoted."""
        found = [self.demoted] if self.demoted is not None else []
        if self.approved_at is not None:
            return found
        if self.probation_since is None:
            why = "this version has not been in shadow yet"
            return [Cap(mode="shadow", why=why, by="probation"), *found]
        until = self.probation_since + probation
        if until <= now:
            return found
        why = f"on probation until {until:%Y-%m-%d %H:%M} UTC, or until somebody approves {self.digest}"
        return [Cap(mode="shadow", why=why, by="probation"), *found]

    def earned(self) -> str:
        """Why it may act, where nothing holds it."""
        of = f", as {self.inherits_from}, which it only narrows" if self.inherits_from is not None else ""
        return f"approved by {self.approved_by}{of}" if self.approved_by else f"its probation is over{of}"


class RuleMode(Value):
    """A rule's mode as its file says it, and as it is."""

    rule: str
    digest: str
    configured: Mode
    effective: Mode
    why: str
    """What holds it below the configured mode; why it may act, where nothing does."""
    standing: Standing
    held_by: HeldBy | None = None
    """What holds it below the configured mode; None where nothing does."""

    @property
    def disarmed(self) -> bool:
        """Whether it should change something, alone or with a person's yes, and may not go as far."""
        return is_disarmed(self.configured, self.effective)


def is_disarmed(configured: Mode, effective: Mode) -> bool:
    """Whether a rule that should change something may not go as far as its file says."""
    return configured in ("ask", "act") and effective != configured


def rule_mode(
    rule: str,
    configured: Mode,
    ceilings: Sequence[Cap],
    standing: Standing,
    probation: timedelta,
    now: datetime,
) -> RuleMode:
    """The lowest of the configured mode and everything that caps it, with the reason."""
    caps = [*ceilings, *standing.caps(probation, now)]
    effective = min([configured, *(each.mode for each in caps)], key=MODES.index)
    why = standing.earned() if configured in ("ask", "act") else f"its file says {configured}"
    holding = [each for each in caps if each.mode == effective] if effective != configured else []
    if holding:
        why = "; ".join(each.why for each in holding)
    return RuleMode(
        rule=rule,
        digest=standing.digest,
        configured=configured,
        effective=effective,
        why=why,
        standing=standing,
        held_by=holding[0].by if holding else None,
    )


class Rulings(Protocol):
    """The rules this process has loaded, as a guard may ask about them."""

    @property
    def loaded_at(self) -> datetime | None:
        """When the rules in force were loaded; None before the first time."""

    async def mode_in(self, rule: str, namespace: str, *, looks_only: bool = False) -> RuleMode | None:
        """How far a rule may go on targets in a namespace; None when no rule of this name is loaded.

        Raises Retryable when it cannot be told what this process may do there; who `looks_only` need not know that.
        """

    async def ceiling_in(self, namespace: str) -> Cap:
        """How far anything may go on targets in a namespace, whoever asks for it. Raises as `mode_in` does."""
