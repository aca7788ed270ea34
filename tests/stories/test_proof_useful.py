"""When acting is right, it acts: every story of useful.py has to end with its cure."""

import asyncio
from pathlib import Path

import pytest

from remediator.store.database import open_database
from tests.stories.useful import USEFUL, Useful
from tests.support.clock import DrivenClock
from tests.support.databases import Databases
from tests.support.story import told


async def why_not(useful: Useful, tmp_path: Path, database_url: str) -> str | None:
    """What was done instead and what the daemon said about it; None when it acted as it should."""
    database = await open_database(database_url)
    try:
        clock = DrivenClock(database)
        async with told(
            tmp_path, database_url, clock, useful.rules, useful.settings, useful.other_peers
        ) as story:
            await useful.tell(story)
            if story.effects() == list(useful.effects):
                return None
            runs = [f"{each.state}: {each.why}" for each in await story.runs()]
            return f"it did {story.effects()}, not {list(useful.effects)}; {runs}"
    finally:
        await database.close()


@pytest.mark.proof
def test_proof_useful(tmp_path: Path, databases: Databases) -> None:
    wrong: dict[str, str] = {}
    for number, (name, useful) in enumerate(USEFUL.items()):
        (tmp_path / str(number)).mkdir()
        with databases.clone("driven") as dsn:
            refused = asyncio.run(why_not(useful, tmp_path / str(number), dsn))
        if refused is not None:
            wrong[name] = refused
    print(f"proof useful: stories={len(USEFUL)} acted={len(USEFUL) - len(wrong)}")
    assert len(USEFUL) >= 20
    assert wrong == {}
