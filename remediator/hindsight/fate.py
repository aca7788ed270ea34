"""What became of the target of one decision in shadow."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import dropwhile

from remediator.domain.value import Value
from remediator.hindsight.changes import Deed, deeds
from remediator.store.shadow_runs import ShadowRun, WatchedTenure


class Sequel(StrEnum):
    """What happened instead of what the rule would have done."""

    SAME = "same"
    """People made the same change, and with that the alert ended."""
    SOMETHING_ELSE = "something_else"
    """People made another change last, before the alert ended."""
    ALONE = "alone"
    """The alert ended, and nobody changed the pod template or restarted the pods."""
    WORSE = "worse"
    """Nobody changed it, and more alerts began on the target, or in its incident, within the window."""
    UNKNOWN = "unknown"


class Fate(Value):
    """What became of one decision, and why that is said."""

    sequel: Sequel
    why: str


def fate_of(
    run: ShadowRun,
    tenures: Sequence[WatchedTenure],
    now: datetime,
    window: timedelta,
    blind_after: timedelta,
) -> Fate:
    """Judge one decision by what followed. What cannot be known is unknown, with the reason.

    The last change before the alert ended decides: who rolls back and then rolls something else out was not
    helped by the rollback.
    """
    why = _why_unknown(run, now, window)
    if why is not None or run.cleared_at is None:
        return Fate(sequel=Sequel.UNKNOWN, why=why or "when its alert ended is not known")
    made = deeds(tenures, run.decided_at, max(run.cleared_at, run.decided_at), blind_after)
    if made is None:
        return Fate(sequel=Sequel.UNKNOWN, why="the memory did not look all the time")
    others = _others(run, made)
    if others:
        return _of_deed(run, others[-1])
    if run.more_alerts:
        return Fate(sequel=Sequel.WORSE, why=f"{run.more_alerts} more alerts began")
    return Fate(sequel=Sequel.ALONE, why="nobody changed its pod template")


def _why_unknown(run: ShadowRun, now: datetime, window: timedelta) -> str | None:
    """Why nothing can be said yet, or ever; None when something can."""
    if run.episode_id is None:
        return "its alert is not remembered"
    if run.open:
        return "its alert is still open"
    if run.cleared_at is None:
        return "when its alert ended is not known"
    if now < run.decided_at + window:
        return "the window is not over"
    if run.wanted is not None and run.wanted.keeps_the_template:
        return "whether people scaled it or evicted a pod by hand is not known"
    if run.own_effects:
        return "remediator itself changed it"
    return None


def _others(run: ShadowRun, made: Sequence[Deed]) -> list[Deed]:
    """Those made after the plan: the version that the plan found may have been seen a little later than by the plan."""
    found = run.wanted.from_revision if run.wanted is not None else None
    return list(dropwhile(lambda each: not each.restart and each.revision == found, made))


def _of_deed(run: ShadowRun, last: Deed) -> Fate:
    wanted = run.wanted
    if wanted is None:
        return Fate(sequel=Sequel.SOMETHING_ELSE, why="people changed it")
    same = last.revision == wanted.to_revision and (last.restart or not wanted.restarts)
    why = "people restarted it" if last.restart else "people set another version"
    return Fate(sequel=Sequel.SAME if same else Sequel.SOMETHING_ELSE, why=why)
