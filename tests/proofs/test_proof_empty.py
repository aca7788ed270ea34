"""Empty never means everything: a variable without a real value leads to no change, from the alert to the cluster."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from remediator.store.database import open_database
from tests.support.clock import DrivenClock
from tests.support.databases import Databases
from tests.support.proof_lines import Prove
from tests.support.story import Story, told

BAD = ("", " ", "\t", "*", ".", "..", ".*", ".+", "-A", "--all", "-n=shop")
"""Empty, blank, wildcards, and what looks like an option."""

ALERT = {"alertname": "HighErrorRate", "severity": "critical", "team": "checkout"}
SHOP = {**ALERT, "namespace": "shop"}
NAMING: Mapping[str, Mapping[str, str]] = {
    "namespace": {**ALERT, "deployment": "api"},
    "exported_namespace": {**ALERT, "deployment": "api"},
    **dict.fromkeys(
        (
            *("deployment", "statefulset", "daemonset", "replicaset", "pod", "exported_pod", "service"),
            *("ingress", "hpa", "horizontalpodautoscaler", "job_name", "cronjob", "rollout"),
        ),
        SHOP,
    ),
    "workload": {**SHOP, "workload_type": "deployment"},
    "workload_type": {**SHOP, "workload": "api"},
    "container": {**SHOP, "deployment": "api"},
    "team": {**SHOP, "deployment": "api"},
}
"""Every label that chooses a target, and one that only a query uses, each with what else the alert says."""

LEAD_TO_IT_ANYWAY = ("container", "team")

QUERY = 'ok{{team=~"{}"}}'
RULES = """
rules:
  - rule: bad-release
    mode: act
    match: ['{alertname="HighErrorRate"}']
    diagnostics:
      - promql: {query: 'ok{team=~"${labels.team}"}'}
    guards:
      - promql: {query: 'ok{team=~"${labels.team}"}', above: 0}
    actions: [rollback]
    verifications:
      - promql: {query: 'ok{team=~"${labels.team}"}', above: 0, within: 5m}
"""


@pytest.mark.proof
@pytest.mark.timeout(300)
def test_proof_empty(tmp_path: Path, databases: Databases, proof: Prove) -> None:
    with databases.clone("driven") as dsn:
        effects, asked, acted = asyncio.run(_all_of_them(tmp_path, dsn))
    proof("empty", variables=len(NAMING), values=len(BAD), effects=len(effects), asked=len(asked))
    assert effects == []
    assert asked == []
    assert acted == ["app:v1"], "with a real value it does not act either, so that nothing was proven"


async def _all_of_them(tmp_path: Path, dsn: str) -> tuple[list[str], list[str], list[str]]:
    database = await open_database(dsn)
    rhythm = {"memory_every": "5m", "settle": "0s"}
    settings = {"storm": {"in_namespace": 10_000, "anywhere": 10_000}, "engine": rhythm}
    try:
        async with told(tmp_path, dsn, DrivenClock(database), RULES, settings) as story:
            await story.create("app:v1")
            await story.let(35 * 60, step=300)
            story.release("app:v2")
            await story.let(4 * 60, step=120)
            for value in (*BAD, "checkout"):
                story.prometheus.answer(QUERY.format(value), 1)
            done: list[str] = []
            for name, beside in NAMING.items():
                alerts = [{**beside, name: value} for value in BAD]
                # Those that lead to the target anyway make a run each, one after the other.
                for together in [[each] for each in alerts] if name in LEAD_TO_IT_ANYWAY else [alerts]:
                    await _fire(story, together)
                    done += [f"{name}={together[0][name]!r}: {each}" for each in story.effects()[len(done) :]]
            asked = [
                each for each in story.prometheus.asked if each in {QUERY.format(value) for value in BAD}
            ]
            story.alertmanager.fire({**SHOP, "deployment": "api"})
            await story.deliver()
            return done, asked, story.effects()[len(done) :]
    finally:
        await database.close()


async def _fire(story: Story, alerts: list[dict[str, str]]) -> None:
    for labels in alerts:
        story.alertmanager.fire(labels)
    await story.deliver()
    for labels in alerts:
        story.alertmanager.resolve(labels)
    await story.deliver()
    await story.let(31, step=31)
