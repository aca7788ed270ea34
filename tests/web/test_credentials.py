"""Every route by who asks: nobody, somebody unknown, somebody without the role, somebody whose token was changed."""

import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from tests.support.alerts import alert, message
from tests.support.people import basic, people
from tests.support.web import INTAKE, TOKEN, Answer, Web, bearer, running_web, token_file

OPEN = {"/-/healthy", "/-/ready", "/-/ready/act", "/metrics"}
"""What probes and Prometheus ask without credentials."""
JSON = {"Content-Type": "application/json"}
FILLED = {
    "id": "7",
    "digest": "0123",
    "source": "x",
    "kind": "deployment",
    "namespace": "shop",
    "name": "api",
    "period": "daily",
}


@pytest.fixture
async def web(database_url: str, tmp_path: Path) -> AsyncIterator[Web]:
    """Kim may only look, Sam everything."""
    settings = {
        "intake": {"token_file": token_file(tmp_path, "alertmanager", TOKEN)},
        **people(tmp_path, kim=("view",), sam=("view", "approve", "operate")),
    }
    async with running_web(database_url, settings) as running:
        yield running


def of_people(web: Web) -> list[tuple[str, str]]:
    """Every route that is somebody's, with a path that could be asked for."""
    found = [
        (method, re.sub(r"\{(\w+)[^}]*\}", lambda name: FILLED[name[1]], path))
        for method, path in web.routes
        if method != "HEAD" and path not in OPEN and not path.startswith(INTAKE)
    ]
    assert len(found) > 20
    return found


UNKNOWN: dict[str, Mapping[str, str]] = {
    "nobody": {},
    "a wrong token": bearer("wrong"),
    "Alertmanager": bearer(TOKEN),
    "an empty token": {"Authorization": "Bearer "},
    "a part of a token": bearer("sam-toke"),
    "more than a token": bearer("sam-token " * 2),
    "a token as a password": basic("sam", "sam-token"),
    "a token of another scheme": {"Authorization": "Token sam-token"},
    "a cookie": {"Cookie": "token=sam-token"},
    "a token that is no text": {"Authorization": "Bearer \xff\xfe"},
}


@pytest.mark.parametrize("headers", UNKNOWN.values(), ids=UNKNOWN)
async def test_whoever_is_not_known_gets_nothing_from_any_route(web: Web, headers: Mapping[str, str]) -> None:
    before = await everything(web)
    for method, path in of_people(web):
        answer = await web.send(method, path, b"{}" if method != "GET" else None, {**JSON, **headers})
        assert (answer.status, method, path) == (401, method, path)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert b"sam" not in answer.body
    assert await everything(web) == before


async def test_whoever_only_looks_changes_nothing(web: Web) -> None:
    before = await everything(web)
    for method, path in of_people(web):
        if method != "GET":
            answer = await web.send(method, path, b"{}", {**JSON, **bearer("kim-token")})
            assert (answer.status, path) == (403, path)
            assert "kim lacks the role" in answer.json["error"]
    assert await everything(web) == before


async def test_looking_changes_nothing_whoever_looks_and_however(web: Web) -> None:
    before = await everything(web)
    paths = [path for method, path in of_people(web) if method == "GET"]
    for path in (*paths, *OPEN):
        for method in ("GET", "HEAD", "OPTIONS", "TRACE"):
            for query in ("", "?limit=1&state=ACTED&approve=1&why=x&method=POST&_method=POST"):
                answer = await web.send(
                    method, path + query, None, {**bearer("sam-token"), "X-HTTP-Method-Override": "POST"}
                )
                assert answer.status != 500, (method, path)
                assert method in ("GET", "HEAD") or answer.status == 405
    assert await everything(web) == before


async def test_what_changes_something_is_asked_for_by_post_alone(web: Web) -> None:
    looked_at = {path for method, path in of_people(web) if method == "GET"}
    for path in {path for method, path in of_people(web) if method == "POST"} - looked_at:
        for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE"):
            assert (await web.send(method, path, None, {**JSON, **bearer("sam-token")})).status == 405


async def test_a_token_that_was_changed_is_worth_nothing_at_once(web: Web, tmp_path: Path) -> None:
    assert (await web.get("/api/v1/runs", "sam-token")).status == 200
    (tmp_path / "sam").write_text("another-token\n")
    assert (await web.get("/api/v1/runs", "sam-token")).status == 401
    assert (await web.get("/api/v1/runs", "another-token")).status == 200
    (tmp_path / "sam").write_text("\n")
    for token in ("", "another-token", "sam-token"):
        assert (await web.get("/api/v1/runs", token)).status == 401


async def test_two_credentials_at_once_are_none(web: Web) -> None:
    both = [("Authorization", "Bearer sam-token"), ("Authorization", "Bearer sam-token")]
    async with web.session.get(f"{web.url}/api/v1/runs", headers=both) as answer:
        assert answer.status == 401


NOT_ALERTMANAGER = {
    **UNKNOWN,
    "Alertmanager": bearer("sam-token"),
    "its password": basic("alertmanager", TOKEN),
}


@pytest.mark.parametrize("headers", NOT_ALERTMANAGER.values(), ids=NOT_ALERTMANAGER)
async def test_only_alertmanager_posts_alerts(web: Web, headers: Mapping[str, str]) -> None:
    headers = {"Authorization": "", **headers}
    for path in (INTAKE, f"{INTAKE}/", f"{INTAKE}/x", f"{INTAKE}/x/"):
        answer = await web.post(
            message(alert()), path, **{k.replace("-", "_"): v for k, v in headers.items()}
        )
        assert answer.status == 401
    assert await web.rows("select * from notices") == []


async def test_a_token_of_alertmanager_that_was_changed_is_worth_nothing_at_once(
    web: Web, tmp_path: Path
) -> None:
    assert (await web.post(message(alert()))).status == 200
    token_file(tmp_path, "alertmanager", "another")
    assert (await web.post(message(alert()))).status == 401
    assert (await web.post(message(alert()), Authorization="Bearer another")).status == 200


async def test_every_answer_has_the_headers_that_keep_a_browser_from_harm(web: Web) -> None:
    answers: dict[int, Answer] = {}
    for method, path, body, headers in (
        ("GET", "/api/v1/runs", None, bearer("kim-token")),
        ("GET", "/metrics", None, {}),
        ("GET", "/api/v1/runs", None, {}),
        ("POST", "/-/reload", b"{}", {**JSON, **bearer("kim-token")}),
        ("GET", "/nowhere", None, {}),
        ("PUT", "/api/v1/runs", None, {}),
        ("POST", "/-/reload", b"{}", bearer("sam-token")),
        ("POST", "/api/v1/pauses", b"{", {**JSON, **bearer("sam-token")}),
        ("POST", INTAKE, b"{", {**JSON, **bearer(TOKEN)}),
    ):
        answer = await web.send(method, path, body, headers)
        answers[answer.status] = answer
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Server"] == "remediator"
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "Set-Cookie" not in answer.headers
    assert answers.keys() >= {200, 400, 401, 403, 404, 405, 415}


async def everything(web: Web) -> list[tuple[str, str]]:
    """All rows of all tables, in short."""
    tables = await web.rows("select tablename from pg_tables where schemaname = 'public' order by 1")
    hashes = []
    for table in (each["tablename"] for each in tables):
        (row,) = await web.rows(
            f"select md5(coalesce(string_agg(t::text, '' order by t::text), '')) as all from {table} t"
        )
        hashes.append((table, row["all"]))
    return hashes
