"""A browser that remembers somebody's password cannot be made to use it by a page of another site."""

from collections.abc import AsyncIterator
from pathlib import Path

import bcrypt
import pytest

from tests.support.people import basic
from tests.support.web import TOKEN, Answer, Web, running_web, token_file

PAUSE = b'{"scope": "everything", "value": "", "why": "x"}'
CHANGING = {
    "a pause": ("POST", "/api/v1/pauses", PAUSE, 201),
    "its end": ("POST", "/api/v1/pauses/9/resume", b'{"why": "over"}', 404),
    "a reload": ("POST", "/-/reload", None, 200),
}


@pytest.fixture
async def known(database_url: str, tmp_path: Path) -> AsyncIterator[Web]:
    """Kim may do everything with a password."""
    stored = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
    (tmp_path / "web.yml").write_text(f"basic_auth_users: {{kim: '{stored}'}}")
    settings = {
        "intake": {"token_file": token_file(tmp_path, "alertmanager", TOKEN)},
        "web_config_file": tmp_path / "web.yml",
        "people": [{"name": "kim", "roles": ["view", "approve", "operate"]}],
    }
    async with running_web(database_url, settings) as running:
        yield running


async def kim(web: Web, method: str, path: str, body: bytes | None, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await web.send(method, path, body, {**basic("kim", "secret"), **named})


@pytest.mark.parametrize(("method", "path", "body", "status"), CHANGING.values(), ids=CHANGING)
async def test_what_changes_something_has_to_come_as_json_and_not_from_another_site(
    known: Web, method: str, path: str, body: bytes | None, status: int
) -> None:
    for sent in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "text/plain; application/json",
    ):
        answer = await kim(known, method, path, body, Content_Type=sent)
        assert (answer.status, "Content-Type: application/json" in answer.json["hint"]) == (415, True), sent
    for site in ("cross-site", "same-site", "", "anything"):
        answer = await kim(known, method, path, body, Content_Type="application/json", Sec_Fetch_Site=site)
        assert (answer.status, "another site" in answer.json["error"]) == (403, True), site
    assert await known.rows("select 1 from pauses") == []
    for taken in ({}, {"Sec_Fetch_Site": "same-origin"}, {"Sec_Fetch_Site": "none"}):
        answer = await kim(known, method, path, body, Content_Type="application/json; charset=utf-8", **taken)
        assert answer.status == status, answer


async def test_without_a_content_type_nothing_is_changed(known: Web) -> None:
    assert (await kim(known, "POST", "/api/v1/pauses/9/resume", None)).status == 415
    assert (await kim(known, "POST", "/-/reload", None)).status == 415


async def test_looking_takes_no_content_type(known: Web) -> None:
    assert (await kim(known, "GET", "/api/v1/runs", None, Sec_Fetch_Site="cross-site")).status == 200
