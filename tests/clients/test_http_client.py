"""HTTP: what is an answer, what may be tried again, what never left, and what is not said aloud."""

import asyncio
import gzip
from typing import Any

import pytest
from aiohttp import web
from multidict import CIMultiDict

from remediator.clients.http import HttpAnswer, HttpClient, NeverSent, place
from remediator.errors import Permanent, RemediatorError, Retryable
from tests.clients.servers import (
    Serve,
    Talk,
    broken_compression,
    gibberish,
    half_an_object,
    hang_up,
    never,
    reset,
    silence,
    silence_after_the_headers,
)


async def test_an_answer_of_any_status_comes_with_its_headers_and_body(
    http: HttpClient, serve: Serve
) -> None:
    async def answer(request: web.Request) -> web.Response:
        body = await request.text()
        return web.Response(
            status=418, text=f"{request.method} {request.path_qs} {body}", headers={"X-Y": "z"}
        )

    url = await serve(answer)
    got = await http.request("POST", f"{url}/pot", params={"a": "b c"}, json={"tea": 1}, deadline=5.0)
    assert (got.status, got.headers["x-y"]) == (418, "z")
    assert got.body == b'POST /pot?a=b+c {"tea": 1}'


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_and_is_not_followed(
    http: HttpClient, serve: Serve, status: int
) -> None:
    asked: list[str] = []

    async def elsewhere(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    url = await serve(elsewhere)
    assert (await http.request("GET", f"{url}/here", deadline=5.0)).status == status
    with pytest.raises(Permanent, match=str(status)):
        await http.get_json(f"{url}/here")
    assert asked == ["/here", "/here"]


@pytest.mark.parametrize("compressed", [False, True])
async def test_a_body_larger_than_allowed_is_permanent(serve: Serve, compressed: bool) -> None:
    body = b" " * 1_000_000

    async def large(_: web.Request) -> web.Response:
        if compressed:
            return web.Response(body=gzip.compress(body), headers={"Content-Encoding": "gzip"})
        return web.Response(body=body)

    url = await serve(large)
    async with HttpClient(largest_body=999_999) as http:
        with pytest.raises(Permanent, match="more than 999999 bytes"):
            await http.request("GET", url, deadline=5.0)
    async with HttpClient(largest_body=1_000_000) as http:
        assert (await http.request("GET", url, deadline=5.0)).body == body


@pytest.mark.parametrize("talking", [reset, hang_up, gibberish, half_an_object, broken_compression])
async def test_a_connection_lost_or_garbled_is_retryable_and_may_have_been_seen(
    http: HttpClient, talk: Talk, talking: Any
) -> None:
    url = await talk(talking)
    with pytest.raises(Retryable, match="no usable answer from") as raised:
        await http.request("POST", url, data=b"x", deadline=5.0)
    assert not isinstance(raised.value, NeverSent)


@pytest.mark.parametrize("talking", [silence, silence_after_the_headers])
async def test_no_answer_within_the_deadline_is_retryable_and_may_have_been_seen(
    http: HttpClient, talk: Talk, talking: Any
) -> None:
    url = await talk(talking)
    with pytest.raises(Retryable, match=r"did not answer within 0.2 s") as raised:
        await http.request("GET", url, deadline=0.2)
    assert not isinstance(raised.value, NeverSent)


async def test_a_refused_connection_was_never_sent(http: HttpClient, refusing: str) -> None:
    with pytest.raises(NeverSent, match="cannot connect"):
        await http.request("GET", refusing, deadline=5.0)


async def test_a_connection_that_never_comes_about_was_never_sent(http: HttpClient, silent: str) -> None:
    with pytest.raises(NeverSent, match="timed out"):
        await http.request("GET", silent, deadline=2.0)


async def test_a_failed_tls_handshake_was_never_sent(http: HttpClient, serve: Serve) -> None:
    url = await serve(never)
    with pytest.raises(NeverSent, match=r"cannot connect to https://"):
        await http.request("GET", url.replace("http:", "https:"), deadline=5.0)


@pytest.mark.parametrize(
    "url", ["ftp://127.0.0.1/", "/api/v1", "", "http://", "http://[::1/", "http://a:port/"]
)
async def test_what_is_not_an_http_address_is_permanent(http: HttpClient, url: str) -> None:
    with pytest.raises(Permanent, match="is not an http or https address"):
        await http.request("GET", url, deadline=5.0)


async def test_a_header_that_cannot_be_sent_is_permanent(http: HttpClient, serve: Serve) -> None:
    url = await serve(never)
    with pytest.raises(Permanent, match="cannot be made"):
        await http.request("GET", url, headers={"X-Alert": "one\r\nX-Other: two"}, deadline=5.0)


async def test_credentials_given_twice_are_permanent(http: HttpClient, serve: Serve) -> None:
    url = (await serve(never)).replace("://", "://somebody:else@")
    with pytest.raises(Permanent, match="cannot be made"):
        await http.request("GET", url, headers={"Authorization": "Bearer ours"}, deadline=5.0)


async def test_no_sentence_holds_more_of_an_address_than_its_origin(
    http: HttpClient, serve: Serve, talk: Talk, refusing: str, silent: str
) -> None:
    async def forbidden(_: web.Request) -> web.Response:
        return web.Response(status=403, text="no")

    urls = [
        refusing,
        silent,
        await talk(gibberish),
        await talk(hang_up),
        await talk(silence),
        await serve(forbidden),
    ]
    for url in [*urls, "ftp://127.0.0.1", "http://127.0.0.1:port"]:
        secret = url.replace("//", "//user:hunter2@") + "/services/hunter2?token=hunter2"
        with pytest.raises(RemediatorError) as raised:
            await http.get_json(secret, deadline=0.2)
        assert "hunter2" not in raised.value.sentence
        assert raised.value.__cause__ is None


async def test_cancelling_a_request_cancels_it(http: HttpClient, talk: Talk) -> None:
    asked, gone = asyncio.Event(), asyncio.Event()

    async def note(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        asked.set()
        await reader.read()
        gone.set()

    url = await talk(note)
    request = asyncio.create_task(http.request("GET", url, deadline=30.0))
    await asked.wait()
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    async with asyncio.timeout(5):
        await gone.wait()


async def test_cookies_are_not_carried_over(http: HttpClient, serve: Serve) -> None:
    carried: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        carried.extend(request.cookies)
        response = web.Response()
        response.set_cookie("session", "one")
        return response

    url = (await serve(answer)).replace("127.0.0.1", "localhost")
    for _ in range(2):
        await http.request("GET", url, deadline=5.0)
    assert carried == []


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 599])
async def test_json_not_given_just_now_is_retryable(http: HttpClient, serve: Serve, status: int) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text="come\nback", headers={"Retry-After": "7"})

    url = await serve(answer)
    with pytest.raises(Retryable, match=f"answered {status}: come back") as raised:
        await http.get_json(url)
    assert raised.value.retry_after == 7.0


@pytest.mark.parametrize("status", [304, 400, 401, 403, 404, 410, 422])
async def test_json_not_given_is_permanent(http: HttpClient, serve: Serve, status: int) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status)

    url = await serve(answer)
    with pytest.raises(Permanent, match=f"answered {status}"):
        await http.get_json(url)


@pytest.mark.parametrize("body", [b"", b"<html>log in</html>", b"\xff\xfe", b'{"a":', b"[" * 100_000])
async def test_a_body_that_is_not_json_is_permanent(http: HttpClient, serve: Serve, body: bytes) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body)

    url = await serve(answer)
    with pytest.raises(Permanent, match="is it the right address"):
        await http.get_json(url)


async def test_json_is_given(http: HttpClient, serve: Serve) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response([request.headers["X-Scope-OrgID"], *request.query.getall("filter")])

    url = await serve(answer)
    got = await http.get_json(url, [("filter", "a"), ("filter", "b")], {"X-Scope-OrgID": "us"})
    assert got == ["us", "a", "b"]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("5", 5.0),
        ("0.25", 0.25),
        ("-1", 0.0),
        ("1e300", 86400.0),
        ("inf", None),
        ("nan", None),
        ("soon", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ],
)
def test_retry_after_is_read_in_seconds(header: str, seconds: float | None) -> None:
    assert HttpAnswer(429, CIMultiDict({"retry-after": header}), b"").retry_after == seconds
    assert HttpAnswer(429, CIMultiDict(), b"").retry_after is None


def test_the_place_is_the_origin_only() -> None:
    assert place("https://me:secret@prometheus.example:9090/x?token=y") == "https://prometheus.example:9090"
    assert place("no address") == "the configured address"
