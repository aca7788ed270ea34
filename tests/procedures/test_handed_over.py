"""A run that ends with people taking over hands them the procedures its rule names, filled in from the live cluster."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from remediator.domain.handover import Handover, script
from remediator.domain.notice import Notice
from remediator.domain.run_view import RunView
from remediator.domain.target import Target
from remediator.errors import RemediatorError
from remediator.facts.sources import SOURCES
from remediator.sandbox.kubernetes import Fault
from remediator.sandbox.kubernetes.faults import AnswerStatus
from remediator.sandbox.postgres import PostgresServer
from tests.support.busy_postgres import execute
from tests.support.clock import DrivenClock
from tests.support.databases import create_database
from tests.support.people import people
from tests.support.story import Story, deployment, told
from tests.support.terminal import ROLES, Terminal
from tests.support.world import service, workload

LOOKS = """
rules:
  - rule: database-down
    mode: act
    match: ['{alertname="HighErrorRate"}']
    diagnostics: [pods]
    otherwise: {hand_over: [restore_database, downgrade_schema, roll_back_to_revision]}
"""
APPLIED = """create table alembic_version (version_num text); insert into alembic_version values ('a1');
             grant select on alembic_version to looker"""
UNSEEN = "not known: Prometheus has no series of cAdvisor's about it"
NO_MORE = (
    "nothing speaks for more than 512Mi: it was not killed for its memory; "
    "Prometheus has no series of cAdvisor's about it"
)
API = Target(cluster="default", kind="deployment", namespace="shop", name="api")
SHA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


@pytest.fixture
def orders(server: PostgresServer, request: pytest.FixtureRequest) -> str:
    """An empty database of the application."""
    return create_database(server, f"orders{abs(hash(request.node.name)) % 10_000}")


@pytest.fixture
async def story(tmp_path: Path, database_url: str, clock: DrivenClock, orders: str) -> AsyncIterator[Story]:
    """A shop with everything that procedures ask for: v2 was rolled out four minutes ago and took a migration along."""
    await execute(orders, APPLIED)
    (tmp_path / "dsn").write_text(orders.replace("user=postgres", "user=looker"))
    database = {
        "name": "orders",
        "dsn_file": tmp_path / "dsn",
        "targets": [str(API)],
        "server": "statefulset/shop/postgresql",
        "backups": "shop/backups",
    }
    settings = {"databases": [database], **people(tmp_path, **ROLES)}
    async with told(tmp_path, database_url, clock, LOOKS, settings) as made:
        await stand(made, orders)
        yield made


async def stand(story: Story, orders: str | None = None) -> None:
    """Everything is there, and v1 has run well until v2 came; with a database `orders`, together with a migration."""
    api = deployment("app:v1", replicas=3)
    (container,) = api["spec"]["template"]["spec"]["containers"]
    container |= {
        "resources": {"limits": {"memory": "512Mi"}},
        "envFrom": [{"configMapRef": {"name": "api-config"}}],
        "env": [{"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "api-secrets", "key": "signing"}}}],
    }
    postgres = workload("StatefulSet", "postgresql")
    (container,) = postgres["spec"]["template"]["spec"]["containers"]
    container |= {"name": "postgresql", "env": [{"name": "POSTGRES_USER", "value": "owner"}]}
    made_at = story.clock.now() - timedelta(hours=2)
    for each in (
        config_map("api-config", {"a": "b"}),
        config_map("backups", backup(made_at.isoformat())),
        postgres,
        service("api", app="api"),
        autoscaler(),
        api,
    ):
        story.emulator.create(each)
    await story.let(30)
    await story.soak(35 * 60)
    await story.daemon.schemas.tick()
    story.release("app:v2")
    if orders is not None:
        await execute(orders, "update alembic_version set version_num = 'b2'")
    await story.soak(4 * 60 - 15)
    await story.let(15)


def config_map(name: str, data: dict[str, str]) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "shop"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def backup(made_at: str) -> dict[str, str]:
    location = "s3://backups/daily/orders.dump"
    return {"id": "orders-7", "location": location, "sha256": SHA, "made_at": made_at, "verified_at": made_at}


def autoscaler() -> dict[str, Any]:
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"},
        "minReplicas": 2,
        "maxReplicas": 5,
        "metrics": [],
    }
    metadata = {"name": "api", "namespace": "shop"}
    kind = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler"}
    return {**kind, "metadata": metadata, "spec": spec}


async def found(story: Story, fact: str, target: Target = API) -> str:
    """The fact, or why it is not known."""
    now = story.clock.now()
    run = RunView(run_id=12, rule="r", mode="act", target=target, alert=None, created_at=now)
    try:
        return await SOURCES[fact](run, story.daemon.kit)
    except RemediatorError as reason:
        return f"not known: {reason.sentence}"


async def test_every_fact_is_found_out_live(story: Story, orders: str) -> None:
    name = orders.partition("?")[0].rpartition("/")[2]
    now = story.clock.now()
    facts = {fact: await found(story, fact) for fact in SOURCES}
    assert facts.pop("target.pod") in {
        each["metadata"]["name"] for each in story.emulator.list("pods", "shop")
    }
    made_at = facts.pop("backup.made_at")
    age = float(facts.pop("backup.age_hours"))
    assert 2.5 < age < 3
    assert made_at < now.isoformat()
    assert facts == {
        "run.id": "12",
        "target.kind": "deployment",
        "target.namespace": "shop",
        "target.name": "api",
        "target.selector": "app=api",
        "target.match_labels": '{"app": "api"}',
        "target.container": "app",
        "target.replicas": "3",
        "target.autoscaler": "HorizontalPodAutoscaler api",
        "target.config_map": "api-config",
        "target.secret": "api-secrets",
        "target.secret_key": "signing",
        "target.health": "/api/v1/namespaces/shop/services/api:80/proxy/healthz",
        "memory.short": f"not known: no container was killed for its memory, and what it used is {UNSEEN}",
        "memory.container": "app",
        "memory.limit": "512Mi",
        "memory.suggested": f"not known: {NO_MORE}",
        "memory.rests_on": f"not known: {NO_MORE}",
        "autoscaler.name": "api",
        "autoscaler.min": "2",
        "autoscaler.max": "5",
        "autoscaler.raised": "7",
        "revision.current": "2",
        "revision.good": "1",
        "database.name": name,
        "database.restored": f"{name}_restored_12",
        "database.before": f"{name}_before_12",
        "database.namespace": "shop",
        "database.pod": "postgresql-0",
        "database.container": "postgresql",
        "database.admin": "owner",
        "backup.id": "orders-7",
        "backup.location": "s3://backups/daily/orders.dump",
        "backup.file": "orders.dump",
        "backup.directory": "s3://backups/daily/",
        "backup.format": "archive",
        "backup.checksum": SHA,
        "schema.head": "b2",
        "schema.before": "a1",
        "blocker.session": "not known: no session waits for another",
        "blocker.holds_up": "not known: no session waits for another",
    }


def patched(story: Story, resource: str, name: str, patch: dict[str, Any]) -> None:
    story.emulator.patch(resource, "shop", name, patch, user="somebody", manager="kubectl")


async def test_what_is_not_so_is_not_known_and_says_why(story: Story, tmp_path: Path) -> None:
    patched(story, "deployments", "api", {"spec": {"replicas": 0}})
    assert await found(story, "target.replicas") == (
        "not known: it has 0 just now, so somebody has scaled it down before"
    )
    server = Target(cluster="default", kind="statefulset", namespace="shop", name="postgresql")
    assert await found(story, "target.replicas", server) == (
        "not known: it is the server of database orders, which stays up: stop deployment/shop/api"
    )
    sides = {"spec": {"template": {"spec": {"containers": [{"name": "proxy", "image": "proxy:1"}]}}}}
    patched(story, "deployments", "api", sides)
    assert await found(story, "target.container") == "not known: it has several: proxy, app"
    patched(story, "statefulsets", "postgresql", {"spec": {"replicas": 2}})
    await story.let(30)
    assert await found(story, "database.pod") == (
        "not known: statefulset/shop/postgresql: which of its 2 pods is the primary cannot be told"
    )
    unknown_backups = {
        "no backup is known to be verified: verified_at is 'yesterday'": {"verified_at": "yesterday"},
        "no backup is known to be verified: it has no verified_at": {"verified_at": None},
    }
    for why, data in unknown_backups.items():
        patched(story, "configmaps", "backups", {"data": data})
        assert await found(story, "backup.id") == f"not known: {why}"
    patched(
        story,
        "configmaps",
        "backups",
        {"data": {"verified_at": "2026-01-01T00:00:00Z", "location": "/mnt/x"}},
    )
    assert await found(story, "backup.file") == (
        "not known: /mnt/x is no s3://bucket/path, which is what can be fetched here"
    )
    story.emulator.delete("configmaps", "shop", "backups")
    assert await found(story, "backup.id") == (
        "not known: there is no ConfigMap shop/backups, which tells of backups"
    )
    story.emulator.delete("horizontalpodautoscalers", "shop", "api")
    assert await found(story, "target.autoscaler") == "none"
    assert await found(story, "autoscaler.max") == "not known: it has none"
    elsewhere = Target(cluster="default", kind="deployment", namespace="shop", name="web")
    assert await found(story, "database.name", elsewhere) == (
        "not known: no database in remediator.yml has deployment/shop/web as its server or among its targets"
    )
    assert await found(story, "target.selector", elsewhere) == "not known: deployment/shop/web does not exist"
    (tmp_path / "dsn").write_text("postgresql://looker:s3cret@127.0.0.1:1/orders")
    assert await found(story, "database.name") == "orders"
    for fact in ("schema.head", "blocker.session"):
        why = await found(story, fact)
        assert why.startswith("not known: database orders does not answer: ")
        assert "s3cret" not in why


async def handovers(story: Story) -> list[Handover]:
    return [
        Handover.model_validate(each.details) for each in await story.journal() if each.kind == "handover"
    ]


async def test_a_rule_that_only_looks_hands_over_what_people_do_next(
    story: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    story.emulator.faults.add(Fault("GET", "/horizontalpodautoscalers", AnswerStatus(403), times=None))
    await story.fire()
    run = await story.run()
    assert run.state == "ESCALATED"
    restore, downgrade, back = await handovers(story)
    assert [restore.procedure, downgrade.procedure, back.procedure] == [
        "restore_database",
        "downgrade_schema",
        "roll_back_to_revision",
    ]
    assert [each.left_out for each in (restore, downgrade, back)] == [0, 0, 0], restore.steps
    assert [each.answer for each in restore.ticks] == ["yes", "yes", "yes", "not known"]
    async with story.daemon.database.connection() as connection:
        ended = await connection.fetchval("select payload from outbox where key like '%ending/%'")
    notice = Notice(**ended)
    assert f"Printed by: remediator runs handover {run.id}" in notice.text
    assert "alembic downgrade a1" in notice.text
    at = Terminal(story, tmp_path / "kim", capsys)
    printed = await at.shows("runs", "handover", str(run.id))
    assert "kubectl -n shop rollout undo deployment/api --to-revision=1\n" in printed
    assert "kubectl -n shop scale deployment/api --replicas=3\n" in printed
    for each in (("runs", "show", str(run.id)), ("incidents", "show", str(run.incident_id))):
        assert printed.strip() in await at.shows(*each)
    document = await at.json("runs", "handover", str(run.id))
    assert [each["procedure"] for each in document["handovers"]] == [
        restore.procedure,
        downgrade.procedure,
        back.procedure,
    ]


async def test_where_nothing_is_known_every_step_says_so_and_in_shadow_nobody_is_told(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, LOOKS.replace("mode: act", "mode: shadow")) as story:
        await story.create("app:v1")
        for path in ("/replicasets", "/pods"):
            story.emulator.faults.add(Fault("GET", path, AnswerStatus(500), times=None))
        await story.fire()
        assert (await story.run()).state == "ESCALATED"
        async with story.daemon.database.connection() as connection:
            assert await connection.fetchval("select count(*) from outbox where key like '%ending/%'") == 0
        restore, downgrade, back = await handovers(story)
        for each in (restore, downgrade, back):
            assert {tick.answer for tick in each.ticks} == {"not known"}
            text = script(each)
            assert [line for line in text.splitlines() if not line.startswith("#")] == []
            assert "${" not in text
        why = "remediator.yml has deployment/shop/api as its server or among its targets"
        assert any(why in each for step in restore.steps for each in step.left_out)


async def test_a_run_that_helped_hands_nothing_over(
    tmp_path: Path, database_url: str, clock: DrivenClock, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = """
rules:
  - rule: bad-release
    mode: act
    match: ['{alertname="HighErrorRate"}']
    actions: [rollback]
    verifications: [rollout_complete: {within: 5m}]
    otherwise: {hand_over: [roll_back_to_revision]}
"""
    async with told(tmp_path, database_url, clock, rules, people(tmp_path, **ROLES)) as story:
        await story.bad_release()
        await story.fire()
        await story.let(5 * 60)
        run = await story.run()
        assert run.state == "RESOLVED"
        assert await handovers(story) == []
        at = Terminal(story, tmp_path / "kim", capsys)
        assert await at.type("runs", "handover", str(run.id)) == (
            1,
            f"Run {run.id} is RESOLVED and handed over no procedure: its rule names those it may need.\n",
            "",
        )
