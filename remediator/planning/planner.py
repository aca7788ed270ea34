"""Turns due episodes into runs, or records why not. One incident gets one plan."""

from collections.abc import Callable
from datetime import datetime, timedelta

import asyncpg

from remediator.domain.answers import Refusal
from remediator.domain.duration import format_duration
from remediator.planning.choose import Bid, best, effective_mode, shadows
from remediator.planning.policy import Policy
from remediator.planning.resolve import Resolved, resolve
from remediator.rulebook.match import Matching
from remediator.store import episodes, incidents, journal, rule_versions, runs
from remediator.store.database import Connection, Database
from remediator.store.episodes import Episode
from remediator.telemetry import Metrics

_AGAIN_SECONDS = 60.0


class Planner:
    """One unit of its work is one episode."""

    def __init__(
        self,
        database: Database,
        matching: Callable[[], Matching],
        metrics: Metrics,
        policy: Policy,
    ) -> None:
        self._database = database
        self._matching = matching
        self._metrics = metrics
        self._policy = policy

    async def tick(self) -> bool:
        """Plan one episode; True when there may be more."""
        async with self._database.transaction() as connection:
            episode_id = await episodes.take_due(connection, _AGAIN_SECONDS)
        if episode_id is None:
            return False
        try:
            async with self._database.transaction() as connection:
                episode = await episodes.find_open(connection, episode_id)
                if episode is not None:
                    await self._plan(connection, episode)
        except asyncpg.UniqueViolationError:
            # Another replica planned on this target first: look again, and join that run.
            async with self._database.connection() as connection:
                await episodes.refresh_soon(connection, episode_id)
        return True

    async def _plan(self, connection: Connection, episode: Episode) -> None:
        told = episode.labels.get(self._policy.cluster_label or "", self._policy.cluster)
        if told != self._policy.cluster:
            await self._record(connection, episode, "other_cluster", f"it is about cluster {told!r}")
            return
        matching = self._matching()
        if not matching.rules_for(episode.labels):
            why = (
                "only rules in mode off match it"
                if matching.off_rules_for(episode.labels)
                else "no rule matches it"
            )
            await self._record(connection, episode, "no_rule", why)
            return
        resolved = resolve(episode.labels, matching.targets_for(episode.labels), self._policy.cluster)
        incident_id, is_new = await self._attach(connection, episode, resolved)
        if is_new:
            await journal.append(
                connection, "incident", f"opened by {episode.alertname}", incident_id=incident_id
            )
        if isinstance(resolved, Refusal):
            await self._record(connection, episode, "no_target", resolved.why, incident_id=incident_id)
            return
        await self._plan_on_target(connection, episode, resolved, incident_id)

    async def _attach(
        self, connection: Connection, episode: Episode, resolved: Resolved | Refusal
    ) -> tuple[int, bool]:
        target = resolved.target if isinstance(resolved, Resolved) else None
        return await incidents.attach(
            connection,
            subject=f"{target.cluster}/{target}"
            if target
            else f"alert/{episode.source}/{episode.fingerprint}",
            title=episode.annotations.get("summary") or episode.alertname or episode.fingerprint,
            cluster=self._policy.cluster,
            target=target,
            severity=episode.labels.get("severity") or episode.labels.get("sloth_severity") or "",
        )

    async def _plan_on_target(
        self, connection: Connection, episode: Episode, resolved: Resolved, incident_id: int
    ) -> None:
        await episodes.place(connection, episode.id, incident_id, str(resolved.target))
        now: datetime = await connection.fetchval("select remediator_now()")
        bids = await self._bids(connection, episode, now)
        beside = await episodes.waiting_beside(connection, incident_id, episode.id)
        rivals = [bid for each in beside for bid in await self._bids(connection, each, now)]
        await self._shadow(connection, resolved, incident_id, bids)
        winner = best([*bids, *rivals])
        if winner is None:
            await self._wait_or_record(connection, episode, shadows(bids), now)
            return
        held = await self._held_by(connection, episode, resolved, now)
        if held is not None:
            disposition, why, again_at, run_id = held
            await self._record(connection, episode, disposition, why, again_at=again_at, run_id=run_id)
        elif winner.waits > timedelta(0):
            waits = format_duration(winner.rule.wait)
            why = f"{winner.rule.rule} waits {waits} to see whether it clears by itself"
            await self._record(connection, episode, "waiting", why, again_at=now + winner.waits)
        else:
            await self._start(connection, winner, resolved, incident_id, [episode, *beside])

    async def _bids(self, connection: Connection, episode: Episode, now: datetime) -> list[Bid]:
        matching = self._matching()
        found = []
        for rule in matching.rules_for(episode.labels):
            may_act = await rule_versions.may_act(connection, rule, self._policy.probation)
            found.append(
                Bid(
                    rule=rule,
                    mode=effective_mode(rule, self._policy.ceiling, may_act),
                    episode=episode,
                    order=matching.order_of(rule),
                    waits=episode.opened_at + rule.wait - now,
                )
            )
        return found

    async def _held_by(
        self, connection: Connection, episode: Episode, resolved: Resolved, now: datetime
    ) -> tuple[str, str, datetime | None, int | None] | None:
        """Why nothing new may be planned on this target now: a run holds it, or it has to settle."""
        last = await runs.last_on(connection, resolved.target)
        if last is None:
            return None
        if last.holds:
            return "joined", f"run {last.id} is already at work on {resolved.target}", None, last.id
        settled_at = (last.ended_at or now) + self._policy.settle
        if settled_at <= now:
            return None
        if episode.run_id == last.id:
            return "handled", f"run {last.id} dealt with it and ended {last.state}", None, None
        return (
            "settling",
            f"run {last.id} ended {last.state}; nothing new before it settles",
            settled_at,
            None,
        )

    async def _shadow(
        self, connection: Connection, resolved: Resolved, incident_id: int, bids: list[Bid]
    ) -> None:
        """Each shadow rule gets a run of its own, at most once per `settle` on a target."""
        now: datetime = await connection.fetchval("select remediator_now()")
        for bid in shadows(bids):
            last = await runs.last_on(connection, resolved.target, shadow_of=bid.rule.rule)
            recent = last is not None and (last.ended_at is None or last.ended_at + self._policy.settle > now)
            if not recent and bid.waits <= timedelta(0):
                await self._start(connection, bid, resolved, incident_id, [bid.episode])

    async def _wait_or_record(
        self, connection: Connection, episode: Episode, shadow: list[Bid], now: datetime
    ) -> None:
        """Only shadow rules match: nothing acts, and one that still waits is looked at again."""
        waits = [bid.waits for bid in shadow if bid.waits > timedelta(0)]
        names = ", ".join(bid.rule.rule for bid in shadow)
        again_at = now + min(waits) if waits else None
        await self._record(
            connection, episode, "shadowed", f"only rules in shadow match it: {names}", again_at=again_at
        )

    async def _start(
        self, connection: Connection, bid: Bid, resolved: Resolved, incident_id: int, joining: list[Episode]
    ) -> None:
        run_id = await runs.create(
            connection,
            incident_id=incident_id,
            rule=bid.rule,
            mode=bid.mode,
            target=resolved.target,
            trigger=bid.episode.trigger,
            depends_on=resolved.depends_on,
        )
        text = f"run {run_id}: rule {bid.rule.rule} in mode {bid.mode} for {bid.episode.alertname}"
        await journal.append(connection, "planned", text, incident_id=incident_id, run_id=run_id)
        if bid.mode == "shadow":
            return
        for episode in joining:
            disposition = "planned" if episode.id == bid.episode.id else "joined"
            await self._record(connection, episode, disposition, f"run {run_id}", run_id=run_id)

    async def _record(
        self,
        connection: Connection,
        episode: Episode,
        disposition: str,
        why: str,
        *,
        again_at: datetime | None = None,
        incident_id: int | None = None,
        run_id: int | None = None,
    ) -> None:
        await episodes.planned(
            connection,
            episode.id,
            disposition=disposition,
            why=why,
            again_at=again_at,
            incident_id=incident_id,
            run_id=run_id,
        )
        if (disposition, why) != (episode.disposition, episode.why):
            self._metrics.dispositions.labels(disposition).inc()
            await journal.append(
                connection,
                "disposition",
                f"{episode.alertname}: {disposition} ({why})",
                incident_id=incident_id or episode.incident_id,
                episode_id=episode.id,
            )
