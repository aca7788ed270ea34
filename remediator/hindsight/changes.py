"""What was changed on a workload within a time, as far as the memory looked."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from remediator.domain.value import Value
from remediator.store.shadow_runs import WatchedTenure


class Deed(Value):
    """A change that the memory saw: another version, or a restart of the same one."""

    at: datetime
    revision: str
    """The version from then on."""
    restart: bool


def deeds(
    tenures: Sequence[WatchedTenure], begin: datetime, end: datetime, blind_after: timedelta
) -> list[Deed] | None:
    """Every change after `begin` and up to `end`, oldest first; None when nobody can tell.

    Nobody can where there was no look for longer than `blind_after`: what was changed then is seen late, or never. Nor
    where a change was seen so soon after the end that the look before it may have been before the end as well.
    """
    if not _looked(tenures, begin, end, blind_after):
        return None
    found = [Deed(at=each.began_at, revision=each.revision, restart=False) for each in tenures]
    found += [Deed(at=at, revision=each.revision, restart=True) for each in tenures for at in each.restarts]
    if any(end < each.at < end + blind_after for each in found):
        return None
    return sorted((each for each in found if begin < each.at <= end), key=lambda each: each.at)


def _looked(tenures: Sequence[WatchedTenure], begin: datetime, end: datetime, blind_after: timedelta) -> bool:
    reached = begin
    for since, until in sorted(_watched(tenures)):
        if since > reached + blind_after:
            break
        reached = max(reached, until)
    return begin < reached and end <= reached + blind_after


def _watched(tenures: Sequence[WatchedTenure]) -> list[tuple[datetime, datetime]]:
    """Times in which the memory looked again and again."""
    found = []
    for each in tenures:
        since = each.since
        if since is None:
            continue
        for gap_begin, gap_end in each.unseen:
            if gap_begin > since:
                found.append((since, gap_begin))
            since = max(since, gap_end)
        found.append((since, max(since, each.until)))
    return found
