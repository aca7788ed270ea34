"""Opens the breakers of targets on which acting failed, demotes the rules that did it, and tells people."""

from collections.abc import Callable, Sequence
from datetime import datetime

from remediator.domain.breaker import Opening
from remediator.domain.notice import Notice
from remediator.domain.run_view import MODES
from remediator.rulebook.rule import Rule
from remediator.runbook.desk import Desk
from remediator.settings.sections import Breakers
from remediator.store import breakers, demotions, journal, loop_leases, outbox
from remediator.store.database import Connection
from remediator.store.demotions import Demotion

_LEASE_SECONDS = 60.0


class BreakerWatch:
    """One unit of its work is one look at what failed.

    The guard does not wait for it: enough failures refuse at once. What is written here is for people: since
    when, what was tried, and who closed it.
    """

    def __init__(self, desk: Desk, settings: Breakers, rules: Callable[[], Sequence[Rule]]) -> None:
        self._desk = desk
        self._settings = settings
        self._rules = rules

    async def tick(self) -> bool:
        """Look once; never finds more to do at once."""
        async with self._desk.database.connection() as connection:
            if not await loop_leases.hold(connection, "breakers", self._desk.owner, _LEASE_SECONDS):
                return False
        async with self._desk.database.transaction() as connection:
            for opening, incident_id in await breakers.open_due(connection, self._settings):
                notice = _of_opening(opening, incident_id, self._desk.kit.clock.now())
                await journal.append(connection, "breaker", notice.text, incident_id=incident_id)
                await outbox.enqueue(connection, self._desk.channels, notice, None)
                for rule in opening.rules:
                    demoted = await demotions.by_openings(connection, rule, self._settings)
                    if demoted is not None:
                        await self._tell(connection, demoted, opening.target)
        # Of its own: what cannot be counted takes back no breaker, and holds up none.
        async with self._desk.database.transaction() as connection:
            digests = [each.digest for each in self._rules()]
            for demoted in await demotions.by_record(connection, digests, self._settings):
                await self._tell(connection, demoted, None)
        return False

    async def _tell(self, connection: Connection, demoted: Demotion, target: str | None) -> None:
        """Told here, whatever else holds the rule: where a ceiling does, its effective mode need not change.

        Not told where its file lets it go no further anyway: the demotion then holds for when that changes.
        """
        mode = next((each.mode for each in self._rules() if each.rule == demoted.rule), None)
        if mode is not None and MODES.index(mode) <= MODES.index(demoted.to.mode):
            return
        notice = Notice(
            key=f"demotion/{demoted.id}",
            at=self._desk.kit.clock.now(),
            title=f"[DEMOTED] rule {demoted.rule} may go no further than {demoted.to.mode}",
            text=f"{demoted.to.why}. See: remediator rules list",
            target=target,
        )
        await journal.append(connection, "rule_mode", f"{notice.title}: {notice.text}")
        await outbox.enqueue(connection, self._desk.channels, notice, None)


def _of_opening(opening: Opening, incident_id: int, at: datetime) -> Notice:
    text = (
        f"What was tried did not end the trouble: {opening.why}. Nothing acts on {opening.target} any more until "
        f"{opening.until:%Y-%m-%d %H:%M} UTC. Somebody has to take over. When it is cured: "
        f"remediator breakers close {opening.target} --why TEXT"
    )
    return Notice(
        key=f"breaker/{opening.id}",
        at=at,
        title=f"[LEFT TO PEOPLE] {opening.target}",
        text=text,
        incident_id=incident_id,
        target=opening.target,
        state="ESCALATED",
    )
