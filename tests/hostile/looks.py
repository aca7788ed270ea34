"""Lets a run look at every case of diagnostics.yaml, and says where one stopped it or left more than it should."""

import asyncio
import gc
import json
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
_LOOKED_AT_BY = {"/events$": "events", "/pods$": "pods", "/replicasets$": "rollout_history"}
"""Which step's evidence shows what is answered there."""


_NO_SERIES = {"body": '{"status":"success","data":{"resultType":"vector","result":[]}}'}


class RawPrometheus:
    """Answers every query with the same bytes, made beforehand: what making them takes is no stall of the daemon's."""

    def __init__(self) -> None:
        self._status = 200
        self._headers: Mapping[str, str] | None = None
        self._body = b""
        self.say(_NO_SERIES)

    def say(self, case: Mapping[str, Any]) -> None:
        """From now on: `body`, in the encoding `as`, with `status` and `headers`."""
        self._status, self._headers = case.get("status", 200), case.get("headers")
        self._body = corpus.expanded(case["body"]).encode(case.get("as", "utf-8"))

    async def answer(self, _: web.Request) -> web.Response:
        return web.Response(status=self._status, body=self._body, headers=self._headers)


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
            try:
                for number, (name, case) in enumerate(cases):
                    found = await _looked_at(story, server, str(number), case)
                    wrong += [f"{name}: {each}" for each in found]
            finally:
                gc.unfreeze()
    return len(cases), wrong


def _cases() -> list[tuple[str, Mapping[str, Any]]]:
    found: list[tuple[str, Mapping[str, Any]]] = [
        (f"diagnostics/{group}/{case_id}", {"group": group, **case})
        for group, cases in corpus.read("diagnostics.yaml").items()
        for case_id, case in cases.items()
    ]
    return found


async def _looked_at(story: Story, server: RawPrometheus, number: str, case: Mapping[str, Any]) -> list[str]:
    """What is wrong with what came of its alert, which is resolved then: the next one gets a run of its own."""
    if case["group"] == "prometheus":
        server.say(case)
    else:
        story.emulator.faults.add(_answered(story, case))
    stall = Stall()
    watching = asyncio.create_task(stall.watch())
    await story.clock.advance(_BETWEEN)
    await story.fire(case=number)
    watching.cancel()
    story.emulator.faults.clear()
    server.say(_NO_SERIES)
    found = await (_wrong_without_run if case.get("no_run") else _wrong_of)(story, number, case)
    if stall.worst > LONGEST_STALL:
        found.append(f"the loop stood {stall.worst:.2f} s")
    await story.resolve(case=number)
    return found


def _answered(story: Story, case: Mapping[str, Any]) -> Fault:
    """What Kubernetes says instead of what is true."""
    body = corpus.expanded(case.get("text", case.get("body", "")), _owners(story))
    return Fault(
        "GET",
        case.get("path", "/log$"),
        AnswerStatus(case.get("status", 200), body=body),
        when=lambda call, _: "watch" not in call.query,
        times=None,
    )


def _owners(story: Story) -> dict[str, str]:
    """`$owned` belongs to the Deployment's ReplicaSet as its pods do, `$revision` to the Deployment."""
    (replica_set,) = story.emulator.list("replicasets", "shop")
    of_replica_set = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "name": replica_set["metadata"]["name"],
        "uid": replica_set["metadata"]["uid"],
        "controller": True,
    }
    return {
        "owned": f'"ownerReferences":{json.dumps([of_replica_set])}',
        "revision": f'"ownerReferences":{json.dumps(replica_set["metadata"]["ownerReferences"])}',
    }


async def _wrong_of(story: Story, number: str, case: Mapping[str, Any]) -> list[str]:
    async with story.daemon.database.connection() as connection:
        runs = await connection.fetch(
            "select id, state from runs where trigger->'labels'->>'case' = $1", number
        )
        if len(runs) != 1:
            return [f"{len(runs)} runs came of its alert"]
        lines = await connection.fetch(
            "select details->>'step' as step, text || details::text as kept from journal where run_id = $1",
            runs[0]["id"],
        )
    step = {"log": "logs", "prometheus": "promql"}.get(case["group"]) or _LOOKED_AT_BY[case["path"]]
    evidence = [line["kept"] for line in lines if line["step"] == step]
    kept = "\n".join(line["kept"] for line in lines)
    found = []
    if runs[0]["state"] != "ESCALATED":
        found.append(f"the run stands in {runs[0]['state']}")
    if len(kept) > _MOST_STORED:
        found.append(f"{len(kept)} characters were stored")
    if len(evidence) != 1 or case["says"] not in evidence[0]:
        found.append(f"{case['says']!r} is not in what {step} saw: {str(evidence)[:300]}")
    if case.get("never", "\0") in kept:
        found.append("a secret was stored")
    return found


async def _wrong_without_run(story: Story, number: str, case: Mapping[str, Any]) -> list[str]:
    """A workload nobody can make sense of is no target, and people see why."""
    async with story.daemon.database.connection() as connection:
        episode = await connection.fetchrow(
            "select run_id, why from episodes where labels->>'case' = $1", number
        )
    if episode is None or episode["run_id"] is not None or case["says"] not in (episode["why"] or ""):
        return [f"{case['says']!r} is not said of its alert, but {episode and dict(episode)}"]
    return []
