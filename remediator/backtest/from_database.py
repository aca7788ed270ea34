"""The history that a daemon's own database holds: its episodes, and which versions its memory saw."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from remediator.backtest.past import Past, PastAlert, PastRollout
from remediator.errors import Permanent
from remediator.redaction.document import redact_json
from remediator.store import pasts
from remediator.store.database import DATABASE_ERRORS, one_state
from remediator.workloads.revision import image_names

_NEXT_LOOK = timedelta(minutes=5)
"""Well after the next look of a memory that works."""


async def past_of_database(url: str, cluster: str) -> Past:
    """All of it, read in one state of the database. Of another cluster's workloads nothing counts. Raises Permanent."""
    try:
        async with one_state(url) as connection:
            episodes, tenures, now = await pasts.read(connection, cluster)
    except DATABASE_ERRORS as reason:
        raise Permanent(f"the database cannot be read: {str(reason) or type(reason).__name__}") from reason
    if not episodes:
        raise Permanent("the database holds no alert: there is nothing to go through")
    alerts = [_alert(each) for each in episodes]
    return Past.of(min(each.received_at for each in alerts), now, alerts, _rollouts(tenures, now))


def _alert(row: Any) -> PastAlert:
    ends_at: datetime | None = row["ends_at"]
    if ends_at is not None:
        # Peers' clocks differ, and what came resolved already was over before it was received.
        ends_at = max(ends_at, row["starts_at"], row["opened_at"])
    # It may be written to a file that is committed: secrets stay where they are.
    labels = redact_json(json.loads(row["labels"]))
    return PastAlert(labels, row["starts_at"], row["opened_at"], ends_at, row["target"], None)


def _unseen(row: Any, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The times in which the memory did not look: between two looks, and after the last one."""
    yield from zip(row["gaps_begin"], row["gaps_end"], strict=True)
    last, until = row["last_seen_at"], row["ended_at"] or now
    if until - last > _NEXT_LOOK:
        yield last, until


def _rollouts(rows: Sequence[Any], now: datetime) -> list[PastRollout]:
    return [
        PastRollout(
            target=row["target"],
            began_at=row["began_at"],
            revision=row["revision"],
            title=image_names(json.loads(row["template"])),
            began_seen=row["began_seen"],
            ended_at=row["ended_at"],
            available_seconds=row["longest_available_seconds"],
            uid=row["uid"],
            unseen=tuple(_unseen(row, now)),
        )
        for row in rows
    ]
