"""Of a storm's targets the one that was rolled out before all others fired, if it is exactly one. Pure."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from remediator.store.storms import Affected

RECENT = timedelta(minutes=30)
"""A rollout that began earlier before the first alert is not taken for its cause, as caused_by_rollout has it."""


def first_rolled_out(
    affected: Sequence[Affected],
    others_fired_at: datetime | None = None,
    rolled_out_since: Collection[str] = (),
) -> Affected | None:
    """The one target whose rollout came before every alert of the storm while no other was rolled out recently.

    `others_fired_at` is when the first alert began whose target was not looked up; each workload of
    `rolled_out_since` (RECENT before the first alert) may be such a target. None when a target's last rollout
    is not known: it may have been as recent.
    """
    if len(affected) < 2 or any(each.rolled_out_at is None for each in affected):
        return None
    first = min([each.fired_at for each in affected] + ([others_fired_at] if others_fired_at else []))
    recent = [each for each in affected if each.rolled_out_at and each.rolled_out_at > first - RECENT]
    if len(recent) != 1 or recent[0].rolled_out_at is None or recent[0].rolled_out_at >= first:
        return None
    if others_fired_at is not None and set(rolled_out_since) - {recent[0].target}:
        return None
    return recent[0]
