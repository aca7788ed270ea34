"""What stands for and against a run on a target now: the rules that bid for it, and the run that holds it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from remediator.domain.target import Target
from remediator.planning.choose import Bid
from remediator.planning.modes import modes_of
from remediator.planning.policy import Policy
from remediator.rulebook.match import Matching
from remediator.store import runs
from remediator.store.database import Connection
from remediator.store.episodes import Episode


class Held(NamedTuple):
    """Why nothing new may be planned on a target, as planning records it."""

    disposition: str
    why: str
    again_at: datetime | None = None
    run_id: int | None = None
    """The run the episode joins."""


async def bids_of(
    connection: Connection,
    episodes: Sequence[Episode],
    matching: Matching,
    policy: Policy,
    namespace: str,
    now: datetime,
) -> list[Bid]:
    """A bid of every rule that matches one of these alerts, which are about one target in this namespace."""
    matched = [(rule, episode) for episode in episodes for rule in matching.rules_for(episode.labels)]
    modes = await modes_of(connection, [rule for rule, _ in matched], policy, namespace)
    return [
        Bid(
            rule=rule,
            mode=modes[rule.rule],
            episode=episode,
            order=matching.order_of(rule),
            waits=episode.opened_at + rule.wait - now,
        )
        for rule, episode in matched
    ]


async def held_by(
    connection: Connection, episode: Episode, target: Target, settle: timedelta, now: datetime
) -> Held | None:
    """Whether a run holds the target, or it has to settle after one; None when neither is so."""
    last = await runs.last_on(connection, target)
    if last is None:
        return None
    if last.holds and episode.run_id == last.id and episode.disposition:
        # Another planner was quicker, or the alert was sent again: the alert that made the run stays its maker.
        return Held(episode.disposition, episode.why or "", run_id=last.id)
    if last.holds:
        return Held("joined", f"run {last.id} is already at work on {target}", run_id=last.id)
    settled_at = (last.ended_at or now) + settle
    if settled_at <= now:
        return None
    if episode.run_id == last.id and not last.plan_again:
        return Held("handled", f"run {last.id} dealt with it and ended {last.state}")
    why = f"run {last.id} ended {last.state}; nothing new before it settles"
    return Held("settling", why, again_at=settled_at)
