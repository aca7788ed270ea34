"""One look: many questions about one moment, each asked of the API server once."""

import asyncio

import pytest
from aiohttp import web

from remediator.errors import Retryable
from tests.clients.servers import Reading, never

API = {"kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": "api", "namespace": "shop"}}
NO_PODS = {"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "7"}, "items": []}


class Server:
    """Counts what it is asked, and can be made to fail."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fails = False
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path_qs)
        await self.goes_on.wait()
        if self.fails:
            return web.json_response({"message": "later"}, status=503, headers={"Retry-After": "9"})
        if request.path.endswith("/pods"):
            return web.json_response(NO_PODS)
        metadata = {"name": request.path.rsplit("/", 1)[-1], "namespace": "shop"}
        return web.json_response({**API, "metadata": metadata})


async def test_within_one_look_a_question_is_asked_once_and_outside_it_each_time(reading: Reading) -> None:
    server = Server()
    reader = await reading(server.answer)
    async with reader.one_look() as look:
        answers = await asyncio.gather(*(look.get("deployment", "shop", "api") for _ in range(5)))
        assert answers == [API] * 5
        assert await look.get("deployment", "shop", "api") == API
        assert len(server.asked) == 1
        await look.anew().get("deployment", "shop", "api")
    await reader.get("deployment", "shop", "api")
    async with reader.one_look() as look:
        await look.get("deployment", "shop", "api")
    assert len(server.asked) == 4


async def test_questions_that_differ_are_all_asked(reading: Reading) -> None:
    server = Server()
    async with (await reading(server.answer)).one_look() as look:
        await look.get("deployment", "shop", "api")
        await look.get("deployment", "shop", "web")
        await look.list("pod", "shop", {"app": "api"})
        await look.list("pod", "shop", {"app": "web"})
        await look.list("pod", "shop")
        await look.listing("pod", "shop", metadata_only=True)
    assert len(server.asked) == 6


async def test_a_failure_is_told_to_everybody_who_asked(reading: Reading) -> None:
    server = Server()
    server.fails = True
    async with (await reading(server.answer)).one_look() as look:
        for _ in range(3):
            with pytest.raises(Retryable, match="503"):
                await look.get("deployment", "shop", "api")
    assert len(server.asked) == 1


async def test_one_who_stops_waiting_takes_the_answer_from_nobody(reading: Reading) -> None:
    server = Server()
    server.goes_on.clear()
    async with (await reading(server.answer)).one_look() as look:
        impatient = asyncio.create_task(look.get("deployment", "shop", "api"))
        patient = asyncio.create_task(look.get("deployment", "shop", "api"))
        while not server.asked:
            await asyncio.wait([patient], timeout=0.01)
        impatient.cancel()
        server.goes_on.set()
        assert await patient == API
        with pytest.raises(asyncio.CancelledError):
            await impatient


async def test_nothing_is_asked_when_nobody_asks(reading: Reading) -> None:
    async with (await reading(never)).one_look():
        pass
