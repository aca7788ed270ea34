"""What a ConfigMap held when is remembered as stretches of one content each."""

from datetime import timedelta

from remediator.store import config_hashes
from remediator.store.database import Connection, Database
from tests.support.clock import START, DrivenClock


async def remembered(connection: Connection) -> list[tuple[str, float, float | None]]:
    """Hash, beginning and end of each stretch of `web-config`, in minutes since the start."""
    found = await config_hashes.of_names(connection, "here", "shop", ["web-config"])
    return [
        (
            each.hash,
            (each.began_at - START) / timedelta(minutes=1),
            (each.ended_at - START) / timedelta(minutes=1) if each.ended_at is not None else None,
        )
        for each in found
    ]


async def test_content_that_stays_is_one_stretch_without_an_end(
    database: Database, clock: DrivenClock
) -> None:
    async with database.connection() as connection:
        for _ in range(3):
            await config_hashes.remember(connection, "here", "shop", {"web-config": "a", "other": "x"})
            await clock.advance(60)
        assert await remembered(connection) == [("a", 0.0, None)]


async def test_the_time_of_a_content_ends_when_it_was_last_seen(
    database: Database, clock: DrivenClock
) -> None:
    async with database.connection() as connection:
        await config_hashes.remember(connection, "here", "shop", {"web-config": "a"})
        await clock.advance(60)
        await config_hashes.remember(connection, "here", "shop", {"web-config": "a"})
        await clock.advance(60)
        await config_hashes.remember(connection, "here", "shop", {"web-config": "b"})
        await clock.advance(60)
        await config_hashes.remember(connection, "here", "shop", {"web-config": "a"})
        assert await remembered(connection) == [("a", 0.0, 1.0), ("b", 2.0, 2.0), ("a", 3.0, None)]


async def test_a_deleted_config_map_has_no_content_until_it_is_there_again(
    database: Database, clock: DrivenClock
) -> None:
    async with database.connection() as connection:
        await config_hashes.remember(connection, "here", "shop", {"web-config": "a"})
        await config_hashes.end(connection, "here", "shop", ["web-config"])
        assert await remembered(connection) == [("a", 0.0, 0.0)]
        await clock.advance(60)
        await config_hashes.remember(connection, "here", "shop", {"web-config": "a"})
        assert await remembered(connection) == [("a", 0.0, 0.0), ("a", 1.0, None)]


async def test_contents_gone_for_a_month_are_forgotten_and_current_ones_never(
    database: Database, clock: DrivenClock
) -> None:
    async with database.connection() as connection:
        for content in ("a", "b", "c"):
            await config_hashes.remember(connection, "here", "shop", {"web-config": content})
        await clock.advance(31 * 86400)
        assert await config_hashes.forget(connection, 1) == 1
        assert await config_hashes.forget(connection, 10) == 1
        assert [each[0] for each in await remembered(connection)] == ["c"]
