"""Gives each test the world its alerts speak of."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from remediator.store.database import Database
from tests.support.clock import DrivenClock
from tests.support.world import World, a_world


@pytest.fixture
async def world(tmp_path: Path, database: Database, clock: DrivenClock) -> AsyncIterator[World]:
    async with a_world(tmp_path, database, clock) as made:
        yield made
