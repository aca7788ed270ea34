"""Two hundred secrets are planted in all that a story sees, and found nowhere that it stores, sends, logs or shows."""

import io
import json
import logging
import random
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
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

MORE = "describe, endpoints, usage, hpa, nodes, config_changes, related_alerts, slo"
RULES = ROLLBACK.replace(
    "rollout_history]", f"rollout_history, {MORE}, promql: {{query: 'rate(errors[5m])'}}]"
)


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """What the daemon would write to its standard error, at every level."""
    written = io.StringIO()
    lines = logging.StreamHandler(written)
    lines.setFormatter(JsonLines())
    root = logging.getLogger()
    before = root.level
    root.addHandler(lines)
    root.setLevel(logging.DEBUG)
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


def series_of(planted: list[Canary]) -> dict[str, Any]:
    """A query's answer with secrets in its labels."""
    series = [{"metric": {"note": each.text}, "value": [1, "1"]} for each in planted]
    data = {"resultType": "vector", "result": series}
    return {"body": json.dumps({"status": "success", "data": data})}


def event(number: int, involved: dict[str, Any], text: str) -> dict[str, Any]:
    """A warning about the workload."""
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"api.{number}", "namespace": "shop"},
        "involvedObject": involved,
        "type": "Warning",
        "reason": "Odd",
        "message": text,
    }


@dataclass(frozen=True)
class Planted:
    """Which secrets are planted where."""

    release: list[Canary]
    logs: list[Canary]
    events: list[Canary]
    answers: list[Canary]
    alerts: list[Canary]
    reasons: list[Canary]

    @property
    def all(self) -> list[Canary]:
        return [*self.release, *self.logs, *self.events, *self.answers, *self.alerts, *self.reasons]


def planted_everywhere() -> Planted:
    """Shuffled, so that each place has secrets of many kinds."""
    some = list(canaries(COUNT, seed=27))
    random.Random(1).shuffle(some)
    return Planted(some[:40], some[40:100], some[100:130], some[130:160], some[160:190], some[190:])


async def happened(story: Story, planted: Planted) -> None:
    """A bad release is rolled back while everything that is seen is full of secrets, and then all is paused."""
    await story.create("app:v1")
    await story.let(35 * 60)
    bad = bad_release(planted.release)
    story.emulator.patch("deployments", "shop", "api", bad, user="somebody", manager="kubectl")
    await story.let(4 * 60)
    found = story.emulator.get("deployments", "shop", "api") or {}
    involved = {"kind": "Deployment", "namespace": "shop", "name": "api", "uid": found["metadata"]["uid"]}
    for number, each in enumerate(planted.events):
        story.emulator.create(event(number, involved, each.text))
    text = "\n".join(each.text for each in planted.logs)
    story.emulator.faults.add(Fault("GET", "/log$", AnswerStatus(200, body=text), times=None))
    notes = {f"note_{number}": each.text for number, each in enumerate(planted.alerts)}
    story.alertmanager.fire(ALERT, annotations=notes)
    await story.deliver()
    await story.let(120)
    for each in planted.reasons:
        asked = {"scope": "everything", "why": each.text}
        answer = await Someone(story.url, bearer(KIM)).send("POST", "/api/v1/pauses", asked)
        assert answer.status == 201, answer.body
    await story.resolve()
    await story.let(300)


async def shown(story: Story) -> str:
    """All that the API shows a person."""
    kim = Someone(story.url, bearer(KIM))
    answers = [
        await kim.send("GET", f"/api/v1/{path}")
        for path in ("runs", "runs/1", "incidents", "incidents/1", "episodes", "pauses", "rules")
    ]
    assert [each.status for each in answers] == [200] * len(answers)
    return "".join(each.body.decode() for each in answers)


async def seen_by(story: Story, step: str) -> str:
    """What a diagnostic wrote down."""
    async with story.daemon.database.connection() as connection:
        found = await connection.fetch("select details from journal where details->>'step' = $1", step)
    return "".join(str(row["details"]) for row in found)


async def hidden_of(story: Story, places: Mapping[str, str]) -> dict[str, int]:
    """How often something is hidden in what came of each source: that it was read, and shown without its secrets."""
    run = (await Someone(story.url, bearer(KIM)).send("GET", "/api/v1/runs/1")).json
    of_each = {
        "release": json.dumps(run["plan"]),
        "logs": await seen_by(story, "logs"),
        "events": await seen_by(story, "events"),
        "answers": await seen_by(story, "promql"),
        "alerts": places["notices.annotations"],
        "reasons": places["pauses.why"],
    }
    return {source: content.count("***") for source, content in of_each.items()}


@pytest.mark.proof
async def test_proof_canaries(tmp_path: Path, database_url: str, clock: DrivenClock, proof: Prove) -> None:
    planted = planted_everywhere()
    server = RawPrometheus()
    server.say(series_of(planted.answers))
    whole = 0
    with logged() as log:
        async with (
            listening(server) as url,
            told(tmp_path, database_url, clock, RULES, {"prometheus": {"url": url}}) as story,
        ):
            await happened(story, planted)
            places = {
                "API": await shown(story),
                "metrics": story.daemon.metrics.exposition().decode(),
                "Events": json.dumps(
                    [
                        each
                        for each in story.emulator.list("events", "shop")
                        if (each.get("source") or {}).get("component") == "remediator"
                    ]
                ),
                "log": log.getvalue(),
            }
            async for table, column, content in columns(story):
                if (table, column) in KEPT_WHOLE:
                    whole += len(in_it(planted.all, content))
                else:
                    places[f"{table}.{column}"] = content
            hidden = await hidden_of(story, places)
            effects, why = story.effects(), (await story.run()).why
    leaks = {place: kinds for place, content in places.items() if (kinds := in_it(planted.all, content))}
    proof(
        "canaries",
        planted=COUNT,
        leaked=sum(map(len, leaks.values())),
        kept_whole=whole,
        columns=len(places) - 4,
    )
    assert leaks == {}
    assert effects == ["app:v1"], why
    assert whole, "the template has to be kept whole where a rollback needs it"
    for source, times in hidden.items():
        assert times >= len(getattr(planted, source)) / 2, f"{source}: {hidden}"
