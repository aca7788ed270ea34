"""A month in the database, written down as it would have been recorded: every line says what happened to one target."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from remediator.rulebook.rule import Rule
from remediator.store.database import Connection
from tests.support.clock import START

MINUTE = timedelta(minutes=1)
BAD, GOOD, FIXED = "bad", "good", "fixed"
"""Versions: what the plan finds, what it wants, and what people may set instead."""

_numbers = count(1)


@dataclass(frozen=True)
class Incident:
    """One incident of one target of its own; all times are minutes, counted from the decision."""

    at: datetime
    """When the rule decided; the alert was received a minute before."""
    cleared: float | None = 20
    """None for an alert that is open."""
    becomes: str | None = None
    """The version that people set, five minutes after the decision."""
    restarted: bool = False
    """Whether people restarted it then."""
    another: float | None = None
    """When another alert began."""
    stopped_by: tuple[str, ...] = ()
    planned: bool = True
    asks: bool = False
    remembered: bool = True
    """Whether the memory looked."""
    digest: str | None = None
    """Of the rule, when it is another than that of the loaded version."""
    trigger: dict[str, Any] = field(default_factory=dict)


def day(number: int, hour: int = 9) -> datetime:
    """A day of the month, which begins at noon of the first."""
    return (START + timedelta(days=number)).replace(hour=hour)


@dataclass
class Month:
    """Writes what happened."""

    connection: Connection

    async def shadow(self, rule: Rule, *incidents: Incident) -> None:
        """Decisions of a rule in shadow."""
        for each in incidents:
            name = f"api-{next(_numbers)}"
            incident_id = await self._incident(name, each)
            await self.look(rule, each, name, incident_id)
            if each.remembered:
                await self._tenures(rule, each, name)

    async def look(self, rule: Rule, each: Incident, name: str, incident_id: int) -> int:
        """One run in shadow, with what it proposed and what the guards said."""
        run_id = await self._run(rule, each, each.at, (name, incident_id), mode="shadow", state="SHADOWED")
        if each.planned:
            to = BAD if rule.actions[0].key() == "restart" else GOOD
            await self._journal(
                run_id, "proposed", {"from_revision": BAD, "to_revision": to, "ask_because": []}
            )
            answers = {"human_active": "allow", "owner": "ask" if each.asks else "allow"}
            for guard, answer in {**answers, **dict.fromkeys(each.stopped_by, "refuse")}.items():
                await self._journal(run_id, "guard", {"guard": guard, "answer": answer})
        return run_id

    async def acted(
        self,
        rule: Rule,
        at: datetime,
        took: float,
        *,
        state: str = "RESOLVED",
        back: float | None = None,
        on: str | None = None,
        helped_not: bool = True,
    ) -> None:
        """The rule changed something, which ended after `took` minutes; its alert was back after `back` more.

        On a target of its own, unless that is said. When it ended ESCALATED, because it did not help, or because that
        could not be verified.
        """
        name, ended = on or f"api-{next(_numbers)}", at + took * MINUTE
        each = Incident(at, cleared=took)
        incident_id = await self._incident(name, each)
        run_id = await self._run(rule, each, ended, (name, incident_id), state=state)
        await self._attempt(run_id, rule, name, at)
        verified = {"from": "ACTED", "to": state} | (
            {"helped": False} if state == "ESCALATED" and helped_not else {}
        )
        await self._journal(run_id, "state", verified)
        if back is not None:
            await self._episode(name, incident_id, ended + back * MINUTE, None, "firing-again")

    async def changed_by_us(self, rule: Rule, at: datetime) -> None:
        """Another rule of ours did what people might have done."""
        name, each = f"api-{next(_numbers)}", Incident(at, becomes=GOOD)
        incident_id = await self._incident(name, each)
        await self._tenures(rule, each, name)
        await self.look(rule, each, name, incident_id)
        run_id = await self._run(rule, each, at + MINUTE, (name, incident_id), named="another")
        await self._attempt(run_id, rule, name, at + MINUTE)

    async def _incident(self, name: str, each: Incident) -> int:
        incident_id: int = await self.connection.fetchval(
            """insert into incidents (subject, title, cluster, kind, namespace, name, opened_at)
               values ($1, 'it is slow', 'default', 'deployment', 'shop', $1, $2)
               on conflict (subject) where closed_at is null do update set title = excluded.title returning id""",
            name,
            each.at - MINUTE,
        )
        cleared = None if each.cleared is None else each.at + each.cleared * MINUTE
        await self._episode(name, incident_id, each.at - MINUTE, cleared, "slow")
        if each.another is not None:
            began = each.at + each.another * MINUTE
            await self._episode(name, incident_id, began, began + MINUTE, "another")
        return incident_id

    async def _episode(
        self, name: str, incident_id: int, opened: datetime, closed: datetime | None, alert: str
    ) -> None:
        alertname = "Slow" if alert != "another" else "Another"
        await self.connection.execute(
            """insert into episodes (source, fingerprint, alertname, labels, annotations, starts_at, opened_at,
                                     ends_at, closed_at, closed_because, incident_id, target)
               values ('am', $1, $2, '{}', '{}', $3, $3, $4, $4,
                       case when $4::timestamptz is not null then 'resolved' end, $5, $6)""",
            f"{alert}/{name}",
            alertname,
            opened,
            closed,
            incident_id,
            f"deployment/shop/{name}",
        )

    async def _run(
        self, rule: Rule, each: Incident, ended: datetime, where: tuple[str, int], **said: str
    ) -> int:
        name, incident_id = where
        run_id: int = await self.connection.fetchval(
            """insert into runs (incident_id, rule, rule_digest, rule_text, mode, trigger, cluster, kind, namespace,
                                 name, state, plan, created_at, ended_at)
               values ($1, $2, $3, '{}', $4, $5, 'default', 'deployment', 'shop', $6, $7, $8, $9, $10) returning id""",
            incident_id,
            said.get("named", rule.rule),
            each.digest or rule.digest,
            said.get("mode", "act"),
            each.trigger or {"kind": "alert", "source": "am", "fingerprint": f"slow/{name}"},
            name,
            said.get("state", "RESOLVED"),
            {} if each.planned else None,
            each.at - MINUTE,
            ended,
        )
        return run_id

    async def _journal(self, run_id: int, kind: str, details: dict[str, Any]) -> None:
        await self.connection.execute(
            "insert into journal (run_id, kind, text, details) values ($1, $2, '', $3)", run_id, kind, details
        )

    async def _attempt(self, run_id: int, rule: Rule, name: str, at: datetime) -> None:
        await self.connection.execute(
            """insert into attempts (run_id, rung, action_index, action, rule, cluster, kind, namespace, name,
                                     from_revision, to_revision, change, epoch, intended_at, outcome)
               values ($1, 0, 0, 'rollback', $2, 'default', 'deployment', 'shop', $3, 'bad', 'good', '{}', 1, $4,
                       'applied')""",
            run_id,
            rule.rule,
            name,
            at,
        )

    async def _tenures(self, rule: Rule, each: Incident, name: str) -> None:
        """The memory looked from a day before until a day after."""
        deed, first, last = each.at + 5 * MINUTE, each.at - timedelta(days=1), each.at + timedelta(days=1)
        parts = [(BAD, first, deed if each.becomes else last, [deed] if each.restarted else [])]
        parts += [(each.becomes, deed, last, [])] if each.becomes else []
        for revision, began, until, restarts in parts:
            await self.connection.execute(
                """insert into tenures (cluster, kind, namespace, name, uid, revision, template, began_at, began_seen,
                                        ended_at, last_seen_at, watched_since, restart_stamp, restarts)
                   values ('default', 'deployment', 'shop', $1, $1, $2, '{}', $3, true, $5, $4, $3, '', $6)""",
                name,
                revision,
                began,
                until,
                until if revision == BAD and each.becomes else None,
                restarts,
            )
