"""The web part for the tests beside this file."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.web import TOKEN, Web, running_web, token_file


@pytest.fixture
async def web(database_url: str, tmp_path: Path) -> AsyncIterator[Web]:
    """Takes alerts with Alertmanager's token; knows no people."""
    settings = {"intake": {"token_file": token_file(tmp_path, "alertmanager", TOKEN)}}
    async with running_web(database_url, settings) as running:
        yield running
