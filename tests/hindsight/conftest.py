"""Gives each test a story under a rule that only watches."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.clock import DrivenClock
from tests.support.story import ROLLBACK, Story, told

WATCHING = ROLLBACK.replace("mode: act", "mode: shadow")
SOON = {"shadow": {"window": "5m"}}


@pytest.fixture
async def story(tmp_path: Path, database_url: str, clock: DrivenClock) -> AsyncIterator[Story]:
    """A daemon whose one rule, in mode shadow, would roll back on HighErrorRate."""
    async with told(tmp_path, database_url, clock, WATCHING, SOON) as made:
        yield made
