"""A few cases of webhook.yaml, one of each sort, for every change; the proof sends them all, to a real daemon."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.hostile import webhook
from tests.hostile.posting import Intake
from tests.support.web import TOKEN, running_web, token_file

SOME = {
    "unreadable": [
        "a raw surrogate",
        "the same label twice",
        "100000 levels of lists",
        "an overridden payload",
    ],
    "set_aside": ["half a surrogate pair", "startsAt beyond time", "70 kB in a label"],
    "taken": ["any name is a label", "half a pair in an annotation", "resolved and never fired"],
    "group": ["resolved as a group", "a groupKey with half a pair", "no alerts at all"],
    "headers": ["gzip", "UTF-7", "get", "a path upwards"],
    "transport": [
        "two requests at once",
        "a good one behind a bad one",
        "two lengths",
        "TLS that does not wait",
    ],
}


@pytest.fixture
async def intake(database_url: str, tmp_path: Path) -> AsyncIterator[Intake]:
    settings = {"intake": {"token_file": token_file(tmp_path, "alertmanager", TOKEN)}}
    async with (
        running_web(database_url, settings) as web,
        aiohttp.ClientSession(auto_decompress=False) as http,
    ):

        async def rows(query: str, number: int) -> list[dict[str, Any]]:
            return await web.rows(query, number)

        yield Intake(web.url, TOKEN, rows, http)


@pytest.mark.parametrize(("group", "case_id"), [(group, each) for group in SOME for each in SOME[group]])
async def test_whatever_is_posted_the_answer_says_what_became_of_it(
    intake: Intake, group: str, case_id: str
) -> None:
    assert await webhook.judged(intake, case_id, group, webhook.CASES[group][case_id]) == []
