"""Gives each test of a diagnostic a world of its own."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from remediator.store.database import Database
from tests.guards.facts import Facts, facts_of
from tests.support.clock import DrivenClock


@pytest.fixture
def settings() -> Mapping[str, Any]:
    """What remediator.yml says beside where everything is; a test may parametrize it."""
    return {}


@pytest.fixture
async def facts(
    tmp_path: Path, database: Database, clock: DrivenClock, settings: Mapping[str, Any]
) -> AsyncIterator[Facts]:
    """An emulated cluster, an Alertmanager and a Prometheus, and the kit that reads them."""
    async with facts_of(tmp_path, database, clock, settings) as made:
        yield made
