"""Look-ups of names: what hangs in one keeps nobody else waiting."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from remediator.clients.http import HttpClient
from remediator.clients.timed_probe import timed_get
from remediator.clock import SystemClock
from remediator.errors import Retryable
from tests.clients.servers import Echo

_MANY = range(40)
"""More than threads any loop has for everything."""


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The system's look-up of names, which is no part of ours, answers nobody until the test is over."""
    over = threading.Event()

    def hang(*_: Any, **__: Any) -> list[Any]:
        over.wait(30)
        return []

    monkeypatch.setattr("socket.getaddrinfo", hang)
    yield
    over.set()


async def others_get_a_thread() -> bool:
    async with asyncio.timeout(5):
        return await asyncio.to_thread(lambda: True)


async def test_probes_whose_names_are_not_looked_up_keep_no_thread_of_others(hanging: None) -> None:
    asked = (timed_get(f"http://shop-{each}.svc/", 0.1, SystemClock()) for each in _MANY)
    timed = await asyncio.gather(*asked)
    assert all("did not answer within 0.1 s" in (each.error or "") for each in timed)
    assert await others_get_a_thread()


async def test_requests_whose_names_are_not_looked_up_keep_no_thread_of_others(hanging: None) -> None:
    async with HttpClient() as http:
        asked = (http.request("GET", f"http://shop-{each}.svc/", deadline=0.2) for each in _MANY)
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert all(isinstance(each, Retryable) for each in answers)
        assert await others_get_a_thread()


async def test_an_address_that_is_none_of_names_is_asked_without_any_look_up(
    hanging: None, echo: Echo
) -> None:
    timed = await timed_get(echo[0], 5.0, SystemClock())
    assert timed.status == 200
