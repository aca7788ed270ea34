"""The API of pauses and freezes: who may, what is refused, and that nothing is made of what was not meant."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from remediator.rulebook.rule import Rule
from tests.support.web import TOKEN, Answer, Daemon, Web, bearer, running_web, token_file

PAUSES, FREEZES = "/api/v1/pauses", "/api/v1/freezes"
ALL = {"scope": "everything", "value": "", "why": "migration"}
CHRISTMAS = {**ALL, "from": "2026-12-24T18:00Z", "until": "2026-12-27T06:00Z"}


@pytest.fixture
async def web(database_url: str, tmp_path: Path) -> AsyncIterator[Web]:
    """Kim may operate, a guest may look; one rule is loaded."""
    people = [
        {"name": "kim", "token_file": token_file(tmp_path, "kim", "kim"), "roles": ["view", "operate"]},
        {"name": "guest", "token_file": token_file(tmp_path, "guest", "guest"), "roles": ["view", "approve"]},
    ]
    daemon = Daemon(rules=[Rule(rule="bad-release", match=('{alertname="Slow"}',))])
    settings = {"people": people, "intake": {"token_file": token_file(tmp_path, "alertmanager", TOKEN)}}
    async with running_web(database_url, settings, daemon) as running:
        yield running


async def send(web: Web, path: str, content: Any, token: str = "kim") -> Answer:
    return await web.post(content, path, **{k.replace("-", "_"): v for k, v in bearer(token).items()})


async def open_now(web: Web) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await web.get(PAUSES, "guest")).json["pauses"]
    return found


async def test_only_the_role_operate_may_pause_freeze_or_resume(web: Web) -> None:
    await send(web, PAUSES, {**ALL, "name": "mine"})
    for path, content in ((PAUSES, ALL), (FREEZES, CHRISTMAS), (f"{PAUSES}/mine/resume", {"why": "x"})):
        assert (await send(web, path, content, "guest")).status == 403
        assert (await send(web, path, content, "stranger")).status == 401
    assert [each["name"] for each in await open_now(web)] == ["mine"]


WRONG: list[tuple[str, dict[str, Any], str]] = [
    (PAUSES, {"scope": "everything", "value": ""}, "why"),
    (PAUSES, {**ALL, "why": "  "}, "why"),
    (PAUSES, {**ALL, "value": "shop"}, "everything takes none"),
    (PAUSES, {**ALL, "scope": "namespace"}, "needs a value"),
    (PAUSES, {**ALL, "scope": "namespace", "value": "*"}, "value"),
    (PAUSES, {**ALL, "scope": "target", "value": "api"}, "not kind/namespace/name"),
    (PAUSES, {**ALL, "scope": "cluster"}, "scope"),
    (PAUSES, {**ALL, "until": "2026-12-24T18:00Z"}, "until"),
    (PAUSES, {**ALL, "for": "0s"}, "for"),
    (PAUSES, {**ALL, "name": "A b"}, "name"),
    (PAUSES, {**ALL, "name": "pause-9"}, "made up by the daemon"),
    (FREEZES, ALL, "until"),
    (FREEZES, {**CHRISTMAS, "from": "2026-12-24T18:00"}, "from"),
    (FREEZES, {**CHRISTMAS, "until": "2026-12-24T17:00Z"}, "ends after it begins"),
    (FREEZES, {**ALL, "until": "2026-01-05T11:59Z"}, "later than now"),
]


@pytest.mark.parametrize(("path", "content", "sentence"), WRONG)
async def test_what_is_not_meant_is_refused_with_what_is_wrong(
    web: Web, path: str, content: dict[str, Any], sentence: str
) -> None:
    answer = await send(web, path, content)
    assert answer.status == 400
    assert sentence in answer.json["error"]
    assert await open_now(web) == []


async def test_a_rule_that_is_not_loaded_cannot_be_paused(web: Web) -> None:
    assert (await send(web, PAUSES, {**ALL, "scope": "rule", "value": "bad-realese"})).status == 404
    assert (await send(web, PAUSES, {**ALL, "scope": "rule", "value": "bad-release"})).status == 201


async def test_a_name_is_taken_until_what_it_names_is_over(web: Web) -> None:
    assert (await send(web, PAUSES, {**ALL, "name": "move"})).status == 201
    taken = await send(web, FREEZES, {**CHRISTMAS, "name": "move"})
    assert (taken.status, taken.json["error"]) == (409, "the name move is taken")
    assert (await send(web, f"{PAUSES}/move/resume", {"why": "moved"})).status == 200
    assert (await send(web, FREEZES, {**CHRISTMAS, "name": "move"})).status == 201


async def test_a_resume_says_why_and_ends_one_by_name_or_number_once(web: Web) -> None:
    first = (await send(web, PAUSES, ALL)).json
    second = (await send(web, FREEZES, CHRISTMAS)).json
    assert (await send(web, f"{PAUSES}/{first['name']}/resume", {})).status == 400
    for named in (first["name"], str(second["id"])):
        assert (await send(web, f"{PAUSES}/{named}/resume", {"why": "done"})).status == 200
        assert (await send(web, f"{PAUSES}/{named}/resume", {"why": "done"})).status == 404
    assert (await send(web, f"{PAUSES}/%00/resume", {"why": "done"})).status == 404
    ended = await web.rows("select cleared_by from pauses order by id")
    assert [each["cleared_by"] for each in ended] == ["kim", "kim"]


async def test_looking_changes_nothing(web: Web) -> None:
    made = (await send(web, FREEZES, CHRISTMAS)).json
    assert made["in_force"] is False
    for path in (PAUSES, f"{PAUSES}/{made['name']}/resume", FREEZES):
        await web.get(path, "kim")
    assert await open_now(web) == [made]
