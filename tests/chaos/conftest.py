"""Gives each test a story of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.clock import DrivenClock
from tests.support.story import Story, told


@pytest.fixture
async def story(tmp_path: Path, database_url: str, clock: DrivenClock) -> AsyncIterator[Story]:
    """A daemon whose one rule, in mode act, rolls back on HighErrorRate."""
    async with told(tmp_path, database_url, clock) as made:
        yield made
