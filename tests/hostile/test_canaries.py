"""Two hundred secrets are planted in all that a story sees, and found nowhere that it stores, sends, logs or shows."""

import io
import json
import logging
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from remediator.sandbox.kubernetes.faults import AnswerStatus, Fault
from remediator.telemetry import JsonLines
from tests.hostile.canaries import Canary, canaries
from tests.hostile.looks import RawPrometheus, listening
from tests.support.clock import DrivenClock
from tests.support.people import Someone
from tests.support.proof_lines import Prove
from tests.support.story import ALERT, KIM, ROLLBACK, Story, deployment, told
from tests.support.web import bearer

COUNT = 200
KEPT_WHOLE = {("attempts", "change"), ("runs", "plan")}
"""Columns that hold templates whole, since a rollback needs the values that were there; shown they are redacted."""

RULES = ROLLBACK.replace("rollout_history]", "rollout_history, promql: {query: 'rate(errors[5m])'}]")


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """What the daemon would write to its standard error, at every level."""
    written = io.StringIO()
    lines = logging.StreamHandler(written)
    lines.setFormatter(JsonLines())
    root = logging.getLogger()
    before = root.level
    root.addHandler(lines)
    root.setLevel(logging.INFO)
    try:
        yield written
    finally:
        root.removeHandler(lines)
        root.setLevel(before)


async def columns(story: Story) -> AsyncIterator[tuple[str, str, str]]:
    """Table, column and content of every column that can hold a text."""
    async with story.daemon.database.connection() as connection:
        found = await connection.fetch(
            """select table_name, column_name, data_type from information_schema.columns
               where table_schema = 'public' and data_type in ('text', 'jsonb', 'bytea', 'ARRAY')
               order by 1, 2"""
        )
        for table, column, kind in found:
            shown = f"encode({column}, 'escape')" if kind == "bytea" else f"{column}::text"
            content = await connection.fetchval(f"select string_agg({shown}, E'\\n') from {table}")
            yield table, column, content or ""


def in_it(planted: list[Canary], text: str) -> list[str]:
    """The kinds whose secrets stand in the text, also as JSON writes them."""
    return [
        each.kind
        for each in planted
        if any(trace in text or json.dumps(trace)[1:-1] in text for trace in each.traces)
    ]


def bad_release(planted: list[Canary]) -> dict[str, Any]:
    """What is rolled out holds secrets in its environment and its annotations."""
    made = deployment("app:v2")
    container = made["spec"]["template"]["spec"]["containers"][0]
    container["env"] = [
        {"name": f"KEY_{number}_PASSWORD", "value": each.text} for number, each in enumerate(planted[:20])
    ]
    metadata = {f"example.com/note-{number}": each.text for number, each in enumerate(planted[20:])}
    return {"metadata": {"annotations": metadata}, "spec": made["spec"]}


@pytest.mark.proof
async def test_proof_canaries(tmp_path: Path, database_url: str, clock: DrivenClock, proof: Prove) -> None:
    planted = list(canaries(COUNT, seed=27))
    random.Random(1).shuffle(planted)
    in_release, in_logs, in_events, in_answers, in_alerts, in_reasons = (
        planted[0:40], planted[40:100], planted[100:140], planted[140:160], planted[160:190], planted[190:200],
    )  # fmt: skip
    server = RawPrometheus()
    series = [{"metric": {"note": each.text}, "value": [1, "1"]} for each in in_answers]
    data = {"resultType": "vector", "result": series}
    server.say({"body": json.dumps({"status": "success", "data": data})})
    with logged() as log:
        async with (
            listening(server) as url,
            told(tmp_path, database_url, clock, RULES, {"prometheus": {"url": url}}) as story,
        ):
            await story.create("app:v1")
            await story.let(35 * 60)
            story.emulator.patch(
                "deployments", "shop", "api", bad_release(in_release), user="somebody", manager="kubectl"
            )
            await story.let(4 * 60)
            found = story.emulator.get("deployments", "shop", "api") or {}
            for number, each in enumerate(in_events):
                metadata = {"name": f"api.{number}", "namespace": "shop"}
                involved = {
                    "kind": "Deployment",
                    "namespace": "shop",
                    "name": "api",
                    "uid": found["metadata"]["uid"],
                }
                story.emulator.create(
                    {"apiVersion": "v1", "kind": "Event", "metadata": metadata, "involvedObject": involved,
                     "type": "Warning", "reason": "Odd", "message": each.text}
                )  # fmt: skip
            text = "\n".join(each.text for each in in_logs)
            story.emulator.faults.add(Fault("GET", "/log$", AnswerStatus(200, body=text), times=None))
            notes = {f"note_{number}": each.text for number, each in enumerate(in_alerts)}
            story.alertmanager.fire(ALERT, annotations=notes)
            await story.deliver()
            await story.let(120)
            kim = Someone(story.url, bearer(KIM))
            for each in in_reasons:
                await kim.send("POST", "/api/v1/pauses", {"kind": "pause", "why": each.text})
            await story.resolve()
            await story.let(300)

            paths = ("runs", "runs/1", "incidents", "incidents/1", "episodes", "pauses", "rules")
            answers = [await kim.send("GET", f"/api/v1/{path}") for path in paths]
            ours = [
                each
                for each in story.emulator.list("events", "shop")
                if (each.get("source") or {}).get("component") == "remediator"
            ]
            places = {
                "API": "".join(each.body.decode() for each in answers),
                "metrics": story.daemon.metrics.exposition().decode(),
                "Events": json.dumps(ours),
                "log": log.getvalue(),
            }
            whole = 0
            async for table, column, content in columns(story):
                if (table, column) in KEPT_WHOLE:
                    whole += len(in_it(planted, content))
                else:
                    places[f"{table}.{column}"] = content
            effects = story.effects()
            held = (await kim.send("GET", "/api/v1/runs/1")).json
    leaks = {place: kinds for place, content in places.items() if (kinds := in_it(planted, content))}
    proof(
        "canaries",
        planted=COUNT,
        leaked=sum(map(len, leaks.values())),
        kept_whole=whole,
        columns=len(places) - 4,
    )
    assert leaks == {}
    assert effects == ["app:v1"], held["run"]
    assert whole, "the template has to be kept whole where a rollback needs it"
    assert places["journal.details"].count("***") > COUNT / 2
