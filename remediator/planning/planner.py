"""Turns due episodes into runs, or records why not. One incident gets one plan."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import asyncpg

from remediator.domain.answers import Refusal
from remediator.domain.duration import format_duration
from remediator.domain.storm import Storm
from remediator.domain.target import Target
from remediator.fault_points import FaultPoint, reach
from remediator.planning.bids import bids_of, held_by
from remediator.planning.by_labels import Decided, decided
from remediator.planning.choose import Bid, acted_on, best, shadows, told
from remediator.planning.due import next_due
from remediator.planning.policy import Policy
from remediator.planning.resolve import Resolved, Resolver, depends_on
from remediator.rulebook.match import Matching
from remediator.rulebook.rule import RuleTarget
from remediator.runbook.call_step import Unanswered, call_step
from remediator.store import episodes, incidents, journal, runs, storms
from remediator.store.database import DATABASE_ERRORS, Connection, Database
from remediator.store.episodes import Episode
from remediator.telemetry import Metrics

_SOONEST, _LATEST = timedelta(seconds=5), timedelta(minutes=1)
"""Between two looks for a target that could not be told: half as long as it has been unknown, within these."""


class Planner:
    """One unit of its work is one episode."""

    def __init__(
        self,
        database: Database,
        resolver: Resolver,
        matching: Callable[[], Matching],
        metrics: Metrics,
        policy: Policy,
    ) -> None:
        self._database = database
        self._resolver = resolver
        self._matching = matching
        self._metrics = metrics
        self._policy = policy

    async def tick(self) -> bool:
        """Plan one episode; True when there may be more."""
        async with self._database.connection() as connection:
            episode_id, put_off = await next_due(connection, self._metrics)
            if episode_id is None:
                return put_off > 0
            episode = await episodes.find_open(connection, episode_id)
            if episode is None:
                return True
        matching = self._matching()
        # Before the transaction: none may stay open while the cluster is asked.
        resolved = await self._resolve(episode, matching)
        reach(FaultPoint.J08)
        try:
            async with self._database.transaction() as connection:
                await incidents.lock(connection, _subject(episode, resolved))
                episode = await episodes.lock_open(connection, episode_id)
                if episode is not None:
                    await self._plan(connection, episode, matching, resolved)
        except asyncpg.UniqueViolationError:
            # Another replica planned on this target first: look again, and join that run.
            async with self._database.connection() as connection:
                await episodes.refresh_soon(connection, episode_id)
        return True

    async def _resolve(self, episode: Episode, matching: Matching) -> Resolved | Refusal | Decided:
        """The target, unless the labels alone decide."""
        if by_labels := decided(episode.labels, matching, self._policy):
            return by_labels
        entries = matching.targets_for(episode.labels)
        known = self._known(episode, entries)
        if known is not None:
            return known
        found = await call_step(
            "looking up its target",
            self._resolver.resolve(episode.labels, entries),
            None,
            goes_up=DATABASE_ERRORS,
        )
        return Refusal(why=found.why, passing=True) if isinstance(found, Unanswered) else found

    def _known(self, episode: Episode, entries: Sequence[RuleTarget]) -> Resolved | None:
        """The target of the run the episode has: what that run changes is gone soon, the alert's pod first."""
        if episode.run_id is None or episode.target is None:
            return None
        if any(each.target != episode.target for each in entries):
            return None
        target = Target.parse(episode.target, self._policy.cluster)
        return Resolved(target=target, how="as before", depends_on=depends_on(entries))

    async def _plan(
        self,
        connection: Connection,
        episode: Episode,
        matching: Matching,
        resolved: Resolved | Refusal | Decided,
    ) -> None:
        match resolved:
            case Resolved():
                incident_id = await self._attach(connection, episode, resolved)
                await self._plan_on_target(connection, episode, matching, resolved, incident_id)
            case Refusal(passing=True):
                await self._record_unknown(connection, episode, resolved)
            case Refusal():
                incident_id = await self._attach(connection, episode, None)
                await episodes.forget_target(connection, episode.id)
                await self._record(connection, episode, "no_target", resolved.why, incident_id=incident_id)
            case Decided(disposition, why):
                await self._record(connection, episode, disposition, why)

    async def _record_unknown(self, connection: Connection, episode: Episode, refusal: Refusal) -> None:
        """The cluster could not be read: look again until the alert clears. People see it after a minute."""
        now: datetime = await connection.fetchval("select remediator_now()")
        unknown_for = now - episode.opened_at
        incident_id = await self._attach(connection, episode, None) if unknown_for >= _LATEST else None
        again_at = now + min(max(unknown_for / 2, _SOONEST), _LATEST)
        await self._record(
            connection, episode, "target_unknown", refusal.why, again_at=again_at, incident_id=incident_id
        )

    async def _attach(self, connection: Connection, episode: Episode, resolved: Resolved | None) -> int:
        """The incident the episode belongs to. One that has an incident keeps it while no target can be told."""
        if resolved is None and episode.incident_id is not None:
            return episode.incident_id
        target = resolved.target if resolved is not None else None
        incident_id, is_new = await incidents.attach(
            connection,
            subject=_subject(episode, resolved),
            title=episode.annotations.get("summary") or episode.alertname or episode.fingerprint,
            cluster=self._policy.cluster,
            target=target,
            severity=self._policy.severity_of(episode.labels),
        )
        if is_new:
            opened_by = f"opened by {episode.alertname}"
            await journal.append(connection, "incident", opened_by, incident_id=incident_id)
        if resolved is not None and str(target) != episode.target:
            text = f"{episode.alertname or 'the alert'} is about {target}: {resolved.how}"
            details = {"uid": resolved.uid, "how": resolved.how}
            await journal.append(
                connection, "target", text, details, incident_id=incident_id, episode_id=episode.id
            )
        return incident_id

    async def _plan_on_target(
        self,
        connection: Connection,
        episode: Episode,
        matching: Matching,
        resolved: Resolved,
        incident_id: int,
    ) -> None:
        now: datetime = await connection.fetchval("select remediator_now()")
        namespace = resolved.target.namespace
        bids = await bids_of(connection, [episode], matching, self._policy, namespace, now)
        acts = best(bids) is not None
        storm = await self._place(connection, episode, resolved, incident_id, acting=acts)
        beside = await episodes.waiting_beside(connection, incident_id, episode.id) if acts else []
        rivals = await bids_of(connection, beside, matching, self._policy, namespace, now)
        winner = best([*bids, *rivals])
        held = (
            await held_by(connection, episode, resolved.target, self._policy.settle, now) if winner else None
        )
        if held is None and storm is not None:
            await self._record(connection, episode, "storm", storm.why, again_at=storm.ends_at)
            return
        every = [*bids, *rivals]
        await self._shadow(connection, resolved, incident_id, bids, every)
        if winner is None:
            await self._wait_or_record(connection, episode, bids, now)
        elif held is not None:
            await self._record(
                connection, episode, held.disposition, held.why, again_at=held.again_at, run_id=held.run_id
            )
        elif winner.waits > timedelta(0):
            waits = format_duration(winner.rule.wait)
            why = f"{winner.rule.rule} waits {waits} to see whether it clears by itself"
            await self._record(connection, episode, "waiting", why, again_at=now + winner.waits)
        else:
            joining = [episode, *acted_on(beside, rivals)]
            await self._start(connection, winner, resolved, incident_id, joining, every)

    async def _place(
        self, connection: Connection, episode: Episode, resolved: Resolved, incident_id: int, *, acting: bool
    ) -> Storm | None:
        """Count the target for storms; the one that keeps it from being planned, which it may have begun."""
        target, limits = resolved.target, self._policy.storm
        is_new = await episodes.place(
            connection, episode.id, incident_id, str(target), resolved.depends_on, acting=acting
        )
        if is_new:
            await storms.reached(connection, target.namespace, limits)
        storm = await storms.covering(connection, target)
        return None if storm is None or storm.offered == str(target) else storm

    async def _shadow(
        self,
        connection: Connection,
        resolved: Resolved,
        incident_id: int,
        bids: list[Bid],
        every: Sequence[Bid],
    ) -> None:
        """Each shadow rule gets a run of its own, at most once per `settle` on a target."""
        now: datetime = await connection.fetchval("select remediator_now()")
        for bid in shadows(bids):
            last = await runs.last_on(connection, resolved.target, shadow_of=bid.rule.rule)
            recent = last is not None and (last.ended_at is None or last.ended_at + self._policy.settle > now)
            if not recent and bid.waits <= timedelta(0):
                await self._start(connection, bid, resolved, incident_id, [bid.episode], every)

    async def _wait_or_record(
        self, connection: Connection, episode: Episode, bids: list[Bid], now: datetime
    ) -> None:
        """No rule that matches may act: one in shadow that still waits is looked at again."""
        shadow = shadows(bids)
        if not shadow:
            why = "; ".join(dict.fromkeys(f"{bid.rule.rule} is off: {bid.mode.why}" for bid in bids))
            await self._record(connection, episode, "no_rule", why)
            return
        waits = [bid.waits for bid in shadow if bid.waits > timedelta(0)]
        names = ", ".join(bid.rule.rule for bid in shadow)
        again_at = now + min(waits) if waits else None
        await self._record(
            connection, episode, "shadowed", f"only rules in shadow match it: {names}", again_at=again_at
        )

    async def _start(
        self,
        connection: Connection,
        bid: Bid,
        resolved: Resolved,
        incident_id: int,
        joining: list[Episode],
        every: Sequence[Bid],
    ) -> None:
        run_id = await runs.create(
            connection,
            incident_id=incident_id,
            rule=bid.rule,
            mode=bid.mode.effective,
            target=resolved.target,
            trigger=bid.episode.trigger,
            depends_on=resolved.depends_on,
        )
        reach(FaultPoint.J09)
        mode = bid.mode.effective
        held = f" ({bid.mode.why})" if bid.mode.disarmed else ""
        text = f"run {run_id}: rule {bid.rule.rule} in mode {mode}{held} for {bid.episode.alertname}"
        details = {"episode": bid.episode.id, **told(every, bid)}
        await journal.append(connection, "planned", text, details, incident_id=incident_id, run_id=run_id)
        if mode == "shadow":
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


def _subject(episode: Episode, resolved: Resolved | Refusal | Decided | None) -> str:
    """What the incident of an episode is about: the target, or the alert itself where there is none."""
    if isinstance(resolved, Resolved):
        return f"{resolved.target.cluster}/{resolved.target}"
    return f"alert/{episode.source}/{episode.fingerprint}"
