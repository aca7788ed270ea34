"""Gives each test of an action facts of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from remediator.store.database import Database
from tests.guards.facts import Facts, facts_of
from tests.support.clock import DrivenClock


@pytest.fixture
async def facts(tmp_path: Path, database: Database, clock: DrivenClock) -> AsyncIterator[Facts]:
    """An emulated cluster and the kit that reads it; no daemon runs."""
    async with facts_of(tmp_path, database, clock, {}) as made:
        yield made
