"""Lets a run look at every case of diagnostics.yaml, and says where one stopped it or left more than it should."""

import asyncio
import gc
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from remediator.sandbox.kubernetes.faults import AnswerStatus, Fault
from tests.hostile import corpus
from tests.hostile.loop_probe import Stall
from tests.hostile.under_probe import LONGEST_STALL
from tests.support.clock import DrivenClock
from tests.support.story import Story, told

RULES = """
rules:
  - rule: look
    mode: act
    match: ['{alertname="HighErrorRate"}']
    diagnostics: [pods, events, logs: {tail: 5000}, rollout_history, promql: {query: 'rate(errors[5m])'}]
"""
_BETWEEN = 11 * 60.0
"""Seconds: a target settles before it is planned on again."""
_MOST_STORED = 1 << 20


class RawPrometheus:
    """Answers every query with the same bytes."""

    def __init__(self) -> None:
        self.usual = {"body": '{"status":"success","data":{"resultType":"vector","result":[]}}'}
        self.says: Mapping[str, Any] = self.usual

    async def answer(self, _: web.Request) -> web.Response:
        said = self.says
        body = corpus.expanded(said["body"]).encode(said.get("as", "utf-8"))
        return web.Response(status=said.get("status", 200), body=body, headers=said.get("headers"))


@asynccontextmanager
async def listening(server: RawPrometheus) -> AsyncIterator[str]:
    """Its address."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def run(directory: Path, database_url: str, clock: DrivenClock) -> tuple[int, list[str]]:
    """Every case, one after the other; how many there were, and what was wrong."""
    wrong: list[str] = []
    server = RawPrometheus()
    cases = _cases()
    async with listening(server) as url:
        settings = {"prometheus": {"url": url}}
        async with told(directory, database_url, clock, RULES, settings) as story:
            await story.create("app:v1", replicas=1)
            gc.freeze()  # a collection would go through all that pytest holds, and stop the loop that is watched
            for number, (name, case) in enumerate(cases):
                found = await _looked_at(story, server, number, case)
                wrong += [f"{name}: {each}" for each in found]
    gc.unfreeze()
    return len(cases), wrong


def _cases() -> list[tuple[str, Mapping[str, Any]]]:
    found: list[tuple[str, Mapping[str, Any]]] = [
        (f"diagnostics/{group}/{case_id}", {"group": group, **case})
        for group, cases in corpus.read("diagnostics.yaml").items()
        for case_id, case in cases.items()
    ]
    return found


async def _looked_at(story: Story, server: RawPrometheus, number: int, case: Mapping[str, Any]) -> list[str]:
    """What is wrong with what came of it."""
    server.says = case if case["group"] == "prometheus" else server.usual
    if case["group"] != "prometheus":
        body = corpus.expanded(case.get("text", case.get("body", "")))
        path = case.get("path", "/log$")
        answer = AnswerStatus(case.get("status", 200), body=body)
        story.emulator.faults.add(
            Fault("GET", path, answer, when=lambda call, _: "watch" not in call.query, times=None)
        )
    stall = Stall()
    watching = asyncio.create_task(stall.watch())
    await story.clock.advance(_BETWEEN)
    await story.fire(case=str(number))
    watching.cancel()
    story.emulator.faults.clear()
    stood = [] if stall.worst <= LONGEST_STALL else [f"the loop stood {stall.worst:.2f} s"]
    return [*await _wrong_of(story, number, case), *stood]


async def _wrong_of(story: Story, number: int, case: Mapping[str, Any]) -> list[str]:
    async with story.daemon.database.connection() as connection:
        run = await connection.fetchrow(
            "select id, state from runs where trigger->'labels'->>'case' = $1", str(number)
        )
        if run is None:
            # A workload nobody can make sense of is no target, and people see that.
            why = await connection.fetchval(
                "select why from episodes where labels->>'case' = $1", str(number)
            )
            return [] if why else ["nothing came of its alert"]
        kept = await connection.fetchval(
            "select string_agg(text || details::text, E'\\n') from journal where run_id = $1", run["id"]
        )
    found = []
    if run["state"] != "ESCALATED":
        found.append(f"the run stands in {run['state']}")
    if len(kept) > _MOST_STORED:
        found.append(f"{len(kept)} characters were stored")
    if case["says"] not in kept:
        found.append(f"{case['says']!r} is not in the evidence: {kept[:300]}")
    if case.get("never", "\0") in kept:
        found.append("a secret was stored")
    return found
