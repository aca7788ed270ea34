"""Every effect on the cluster has its one record and every record its effect; whatever is done to records is found."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from remediator.store import audit_verify
from remediator.store.audit import RUNLESS
from remediator.store.audit_verify import Verified
from remediator.store.database import open_database
from tests.proofs.tampering import CHAIN, PLACE, TAMPERED
from tests.support.clock import DrivenClock
from tests.support.databases import Databases
from tests.support.people import Someone, people
from tests.support.proof_lines import Prove
from tests.support.story import ALERT, Story, deployment, told

WORKLOADS = 16
ASKED = 4
"""So many of them are changed only after a person said yes, and half of these get a no."""
QUIET = "quiet"
"""One more, of which no alert tells: a person has it restarted."""
RULES = """
rules:
  - rule: hung
    mode: act
    match: ['{alertname="HighErrorRate"}']
    actions: [restart]
    verifications:
      - rollout_complete: {within: 5m}
  - rule: hung-and-asked
    mode: ask
    match: ['{alertname="Slow"}']
    actions: [restart]
    verifications:
      - rollout_complete: {within: 5m}
"""
ROOM = {
    "budgets": {"everywhere": 1000, "in_namespace": 1000, "unsettled": 1000},
    "storm": {"in_namespace": 10_000, "anywhere": 10_000},
    "engine": {"memory_every": "5m"},
}


@pytest.mark.proof
@pytest.mark.timeout(300)
def test_proof_audit(tmp_path: Path, databases: Databases, proof: Prove) -> None:
    with databases.clone("driven") as dsn:
        effects, wrong = asyncio.run(_acted(tmp_path, dsn))
        missed = asyncio.run(_tampered(dsn))
    violations = [*wrong, *missed]
    proof("audit", effects=effects, tampered=len(TAMPERED), missed=len(missed), violations=len(violations))
    assert violations == []
    assert effects == WORKLOADS - ASKED // 2 + 1


async def _acted(tmp_path: Path, dsn: str) -> tuple[int, list[str]]:
    """Minutes of work of people and rules; how many effects the cluster saw, and what does not fit its records."""
    database = await open_database(dsn)
    chosen = {**people(tmp_path, kim=("view", "approve", "operate")), **ROOM}
    try:
        async with told(tmp_path, dsn, DrivenClock(database), RULES, chosen) as story:
            await _worked(story, Someone.named("kim", story.url))
            made = [
                (each.after or {})["metadata"]["annotations"]["remediator.io/attempt"]
                for each in story.emulator.effects
                if each.user == "remediator" and each.resource == "deployments" and not each.claim
            ]
            async with database.transaction() as connection:
                rows = await connection.fetch("select kind, record::jsonb as record from audit")
                found = await audit_verify.verify(connection, {})
    finally:
        await database.close()
    intents = Counter(row["record"]["attempt"] for row in rows if row["kind"] == "intent")
    applied = Counter(row["record"]["attempt"] for row in rows if row["record"].get("outcome") == "applied")
    wrong = [f"{each.where}: {each.what}" for each in found.breaks]
    for marker in {*made, *intents, *applied}:
        seen = (made.count(marker), applied[marker], intents[marker])
        if seen not in ((1, 1, 1), (0, 0, 1)):
            wrong.append(f"{marker}: {seen[0]} effects, {seen[1]} records of it, {seen[2]} of the intent")
    return len(made), wrong


async def _worked(story: Story, kim: Someone) -> None:
    names = [f"api-{number}" for number in range(WORKLOADS)]
    for name in (*names, QUIET):
        made = deployment("app:v1")
        made["metadata"]["name"] = name
        story.emulator.create(made)
    await story.let(60, step=60)
    pause = {"scope": "namespace", "value": "shop", "why": "a release"}
    paused = (await kim.send("POST", "/api/v1/pauses", pause)).json["name"]
    assert (await kim.send("POST", f"/api/v1/pauses/{paused}/resume", {"why": "it is out"})).status == 200
    for number, name in enumerate(names):
        alertname = "Slow" if number < ASKED else "HighErrorRate"
        story.alertmanager.fire({**ALERT, "alertname": alertname, "deployment": name})
    await story.deliver()
    for number, run in enumerate(each for each in await story.runs() if each.state == "CLEARED"):
        answer = await (kim.decline(run.id) if number % 2 else kim.approve(run.id))
        assert answer.status == 200, answer
    await story.let(60, step=30)
    wanted = {"rule": "hung", "target": f"deployment/shop/{QUIET}", "why": "it is slow"}
    assert (asked := await kim.send("POST", "/api/v1/runs", wanted)).status == 201, asked
    await story.let(60, step=30)


async def _tampered(dsn: str) -> list[str]:
    """What was done to the records and not found."""
    missed = []
    whole = await _verified(dsn, None)
    chains: list[tuple[str, int]] = []
    async with _owner(dsn) as connection:
        rows = await connection.fetch("select chain, place from audit_heads where place >= 3 order by chain")
        chains = [(row["chain"], row["place"] // 2 + 1) for row in (rows[0], rows[len(rows) // 2], rows[-1])]
        assert {each.partition("/")[0] for each, _ in chains} == {RUNLESS, "run"}
    for name, statement in TAMPERED.items():
        for chain, place in chains if CHAIN in statement else chains[:1]:
            filled = statement.replace(CHAIN, chain).replace(PLACE, str(place))
            if (await _verified(dsn, filled)).breaks == whole.breaks:
                missed.append(f"{name} ({chain} place {place}) was not found")
    return missed


async def _verified(dsn: str, statement: str | None) -> Verified:
    """What is found after a statement, which is taken back."""
    async with _owner(dsn) as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            if statement is not None:
                await connection.execute("set local session_replication_role = replica")
                await connection.execute(statement)
            return await audit_verify.verify(connection, {})
        finally:
            await transaction.rollback()


@asynccontextmanager
async def _owner(dsn: str) -> "AsyncIterator[asyncpg.Connection[Any]]":
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()
