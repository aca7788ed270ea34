"""http_probe: status and where the time goes, for addresses that operators allowed."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from remediator.clients.certificate import not_after
from remediator.clients.timed_probe import Timed, timed_get
from remediator.clock import SystemClock
from remediator.diagnostics.http_probe import HttpProbe
from remediator.sandbox.loopback_server import LoopbackServer
from tests.clients.servers import Talking
from tests.diagnostics.looking import looked
from tests.guards.facts import Facts
from tests.guards.test_dependency_healthy import leads_to

TLS = Path(__file__).parents[1] / "clients" / "tls"
LOOPBACK = {"http_allow": ["127.0.0.1"]}
UNTIL = datetime(2126, 11, 3, 12, 16, 16, tzinfo=UTC)
"""How long the certificate of the tests is good."""


class Service(LoopbackServer):
    """Answers what a test says, and knows how often it was asked."""

    def __init__(self, status: int = 200, text: str = "fine") -> None:
        super().__init__([web.get("/health", self._health)])
        self._answer = (status, text)
        self.asked = 0

    async def _health(self, _: web.Request) -> web.Response:
        self.asked += 1
        return web.Response(status=self._answer[0], text=self._answer[1], headers={"Location": "/elsewhere"})


@asynccontextmanager
async def talking(talk: Talking, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server of raw bytes; its port."""

    talks: list[asyncio.Task[None] | None] = []

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.append(asyncio.current_task())
        try:
            await talk(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(once, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]
        await asyncio.gather(*(each for each in talks if each is not None), return_exceptions=True)
        await asyncio.sleep(0)


def with_certificate() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "certificate.pem", TLS / "key.pem")
    return context


def saying(raw: bytes) -> Talking:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(raw)
        await writer.drain()

    return talk


async def got(port: int, deadline: float = 5.0, scheme: str = "http", trust: bool = False) -> Timed:
    context = ssl.create_default_context(cafile=TLS / "certificate.pem") if trust else None
    return await timed_get(f"{scheme}://127.0.0.1:{port}/", deadline, SystemClock(), context)


@pytest.mark.parametrize("settings", [LOOPBACK])
async def test_every_sample_is_asked_and_the_medians_are_told(facts: Facts, settings: Any) -> None:
    async with Service() as service:
        evidence = await looked(facts, HttpProbe(url=f"{service.url}/health", samples=3, title="health"))
    assert service.asked == 3
    assert not evidence.failed
    assert evidence.summary.startswith("health: answered 200; medians: dns ")
    assert [each["status"] for each in evidence.details["samples"]] == [200] * 3
    assert evidence.details["samples"][0]["excerpt"] == "fine"
    assert set(evidence.details["median_seconds"]) == {"dns", "connect", "first_byte", "total"}


@pytest.mark.parametrize("settings", [LOOPBACK])
@pytest.mark.parametrize("status", [301, 404, 503])
async def test_a_bad_status_is_evidence_and_a_redirect_is_not_followed(
    facts: Facts, settings: Any, status: int
) -> None:
    async with Service(status) as service:
        evidence = await looked(facts, HttpProbe(url=f"{service.url}/health", samples=1))
    assert (service.asked, evidence.failed) == (1, False)
    assert f"answered {status}" in evidence.summary


@pytest.mark.parametrize("settings", [LOOPBACK])
async def test_one_that_does_not_answer_is_evidence(facts: Facts, settings: Any) -> None:
    async with Service() as service:
        url = f"{service.url}/health"
    evidence = await looked(facts, HttpProbe(url=url, samples=2))
    assert not evidence.failed
    assert "2 of 2 had no answer" in evidence.summary


@pytest.mark.parametrize("settings", [{"http_allow": ["localhost", "127.0.0.1:1"]}, {}])
async def test_an_address_that_is_not_allowed_is_not_asked(facts: Facts, settings: Any) -> None:
    async with Service() as service:
        evidence = await looked(facts, HttpProbe(url=f"{service.url}/health"))
    assert (evidence.failed, service.asked) == (True, 0)
    assert "add it to http_allow in remediator.yml" in evidence.summary


@pytest.mark.parametrize("settings", [{"http_allow": ["metadata.shop.svc"]}])
async def test_a_name_that_leads_to_the_metadata_service_is_not_asked(
    facts: Facts, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.getaddrinfo", leads_to("169.254.169.254"))
    evidence = await looked(facts, HttpProbe(url="http://metadata.shop.svc/latest"))
    assert evidence.failed
    assert "a link-local address, which is never asked" in evidence.summary


def test_an_address_with_credentials_or_placeholders_stands_in_no_rule() -> None:
    for url in ("http://me:secret@shop.svc/", "http://${labels.host}/", "file:///etc/passwd"):
        with pytest.raises(ValueError, match="cannot be asked"):
            HttpProbe(url=url)


async def test_a_trusted_certificate_is_told_with_its_end_and_what_tls_took() -> None:
    async with talking(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), with_certificate()) as port:
        timed = await got(port, scheme="https", trust=True)
    assert (timed.status, timed.error, timed.certificate_until) == (200, None, UNTIL)
    assert timed.tls is not None
    assert timed.total is not None
    assert timed.total >= timed.tls > 0


async def test_of_a_certificate_that_is_not_trusted_the_end_is_known_and_nothing_is_asked() -> None:
    asked: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read())

    async with talking(talk, with_certificate()) as port:
        timed = await got(port, scheme="https")
    assert timed.status is None
    assert "is not trusted: self-signed certificate" in (timed.error or "")
    assert timed.certificate_until == UNTIL
    assert b"".join(asked) == b""


async def test_no_certificate_is_waited_for_beyond_the_deadline() -> None:
    class LateClock(SystemClock):
        """Each look at it finds that a second passed."""

        looks = 0.0

        def monotonic(self) -> float:
            self.looks += 1.0
            return self.looks

    async def quiet(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with talking(quiet, with_certificate()) as port:
        timed = await timed_get(f"https://127.0.0.1:{port}/", 5.0, LateClock())
    assert "is not trusted" in (timed.error or "")
    assert timed.certificate_until is None


async def test_every_address_of_a_name_is_tried_before_it_is_called_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "socket.getaddrinfo", lambda *_, **__: [*leads_to("127.0.0.2")(), *leads_to("127.0.0.1")()]
    )
    async with talking(saying(b"HTTP/1.1 200 OK\r\n\r\n")) as port:
        timed = await timed_get(f"http://shop.svc:{port}/", 5.0, SystemClock())
    assert (timed.status, timed.address, timed.error) == (200, "127.0.0.1", None)


async def test_what_comes_before_the_answer_is_not_taken_for_it() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    async with talking(saying(early + b"HTTP/1.1 503 Service Unavailable\r\n\r\nno")) as port:
        timed = await got(port)
    assert (timed.status, timed.excerpt) == (503, "no")


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"


LENGTHY = b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\nok"


@pytest.mark.parametrize(
    "raw", [CHUNKED, LENGTHY, b"HTTP/1.0 200 OK\r\n\r\nok", b"HTTP/1.1 204 No Content\r\n\r\n"]
)
async def test_an_answer_ends_as_http_says(raw: bytes) -> None:
    async with talking(saying(raw)) as port:
        timed = await got(port)
    assert (timed.status is not None, timed.error) == (True, None)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"220 mail.example.com ESMTP\r\n\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"x" * 100_000 + b"\r\n\r\n", "larger than 64 KiB"),
        (b"HTTP/1.1 200", "broke off in the middle of its answer"),
        (b"", "broke off in the middle of its answer"),
    ],
)
async def test_what_is_no_answer_has_a_sentence(raw: bytes, why: str) -> None:
    async with talking(saying(raw)) as port:
        timed = await got(port)
    assert timed.status is None
    assert why in (timed.error or "")


async def test_a_body_without_end_is_read_up_to_the_budget() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                writer.write(b"x" * 65536)
                await writer.drain()
        except ConnectionError:
            return

    async with talking(endless) as port:
        timed = await got(port)
    assert (timed.status, timed.error) == (200, None)
    assert len(timed.excerpt) == 300


async def test_one_that_is_silent_is_given_up_at_the_deadline_and_what_was_reached_is_told() -> None:
    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with talking(silent) as port:
        timed = await got(port, deadline=0.2)
    assert "did not answer within 0.2 s" in (timed.error or "")
    assert timed.connect is not None
    assert (timed.first_byte, timed.total) == (None, None)


def test_the_end_of_a_certificate_is_read_from_its_bytes() -> None:
    whole = ssl.PEM_cert_to_DER_cert((TLS / "certificate.pem").read_text())
    assert not_after(whole) == UNTIL
    for short in range(0, len(whole), 7):
        assert not_after(whole[:short]) is None
    assert not_after(b"\x30\x03abc") is None
