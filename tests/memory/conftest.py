"""The world every test of the memory is told in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from remediator.store.database import Database
from tests.memory.world import World, looked_at
from tests.support.clock import DrivenClock


@pytest.fixture
async def world(tmp_path: Path, database: Database, clock: DrivenClock) -> AsyncIterator[World]:
    async with looked_at(tmp_path, database, clock) as world:
        yield world
