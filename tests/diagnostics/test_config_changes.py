"""config_changes: which of the target's ConfigMaps changed, as the memory saw it."""

from datetime import timedelta
from typing import Any

import pytest

from remediator.diagnostics.config_changes import ConfigChanges, _changes, _said
from remediator.domain.history import ConfigStretch
from remediator.store import config_hashes
from remediator.store.database import Database
from tests.diagnostics.looking import looked, passes, runs
from tests.guards.facts import Facts

FROM: dict[str, Any] = {"envFrom": [{"configMapRef": {"name": "settings"}}]}


async def remembered(database: Database, content: str) -> None:
    async with database.transaction() as connection:
        await config_hashes.remember(connection, "prod", "shop", {"settings": content})


async def test_a_change_is_told_with_how_long_before_the_alert_it_was(
    facts: Facts, database: Database
) -> None:
    await remembered(database, "a" * 64)
    await runs(facts, **FROM)
    await passes(facts, 600)
    await remembered(database, "b" * 64)
    await passes(facts, 300)
    evidence = await looked(facts, ConfigChanges())
    assert evidence.summary == "settings changed 3 min before the alert"
    (row,) = evidence.details["changes"]
    assert (row["from"], row["to"]) == ("a" * 12, "b" * 12)


async def test_one_that_did_not_change_and_one_never_seen_are_told_apart(
    facts: Facts, database: Database
) -> None:
    await remembered(database, "a" * 64)
    more = {"name": "NEVER", "valueFrom": {"configMapKeyRef": {"name": "unseen", "key": "x"}}}
    await runs(facts, **FROM, env=[more])
    evidence = await looked(facts, ConfigChanges())
    assert evidence.summary == "none of its ConfigMaps changed within 1d; never seen: unseen"


async def test_pods_without_a_config_map_need_no_memory(facts: Facts) -> None:
    await runs(facts)
    assert (await looked(facts, ConfigChanges())).summary == "its pods use no ConfigMap"


@pytest.mark.parametrize(("days", "changes"), [(2, 1), (0.5, 0)])
def test_only_what_is_within_the_window_counts_and_what_is_gone_is_told(
    facts: Facts, days: float, changes: int
) -> None:
    now = facts.clock.now()
    first = ConfigStretch(
        name="a", hash="1", began_at=now - timedelta(days=9), ended_at=now - timedelta(days=1)
    )
    second = ConfigStretch(name="a", hash="2", began_at=now - timedelta(days=1), ended_at=now)
    rows = _changes("a", [first, second], now - timedelta(days=days), None)
    assert len(rows) == changes + 1
    assert f"a is gone since {now.isoformat()}" in _said(rows, [], timedelta(days=days))
