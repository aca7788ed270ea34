"""migration: which Jobs and init containers are signs of a changed schema, and what follows from them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from remediator.guards.migration import Migration
from remediator.workloads.migrations import migrating_containers, migration_jobs
from tests.guards.changes import template

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
"""When the earlier version was last the current one."""

INSTANCE = {"app.kubernetes.io/instance": "shop"}


def workload(labels: dict[str, str] | None = None) -> dict[str, Any]:
    return {"metadata": {"name": "api", "labels": labels or {}}}


def job(
    name: str = "api-migrate",
    labels: dict[str, str] | None = None,
    ended: float | None = None,
    result: str = "Complete",
    owner: str = "",
    controls: bool = True,
    **spec: Any,
) -> dict[str, Any]:
    """A Job that ended so many minutes after noon, or still runs."""
    status: dict[str, Any] = {"active": 1}
    if ended is not None:
        at = (NOON + timedelta(minutes=ended)).isoformat()
        status = {"conditions": [{"type": result, "status": "True", "lastTransitionTime": at}]}
    owners = [{"kind": owner, "name": "nightly", "controller": controls}] if owner else []
    metadata = {"name": name, "labels": labels or {}, "ownerReferences": owners}
    return {"kind": "Job", "metadata": metadata, "spec": spec, "status": status}


NAMED = {"metadata": {"name": "api", "annotations": {"remediator.io/migration-job": "api-migrate, db"}}}

TABLE: dict[str, tuple[dict[str, Any], list[dict[str, Any]], str]] = {
    "no Job": (workload(INSTANCE), [], "allow"),
    "of the release, running": (workload(INSTANCE), [job(labels=INSTANCE)], "refuse"),
    "of the release, since": (workload(INSTANCE), [job(labels=INSTANCE, ended=1)], "ask"),
    "of the release, just before": (workload(INSTANCE), [job(labels=INSTANCE, ended=-29)], "ask"),
    "of the release, failed": (workload(INSTANCE), [job(labels=INSTANCE, ended=1, result="Failed")], "ask"),
    "of the release, long before": (workload(INSTANCE), [job(labels=INSTANCE, ended=-31)], "allow"),
    "of another release": (workload(INSTANCE), [job(labels={"app.kubernetes.io/instance": "x"})], "allow"),
    "of no release": (workload(), [job()], "allow"),
    "of a CronJob": (workload(INSTANCE), [job(labels=INSTANCE, owner="CronJob")], "allow"),
    "of a ScaledJob, running": (workload(INSTANCE), [job(labels=INSTANCE, owner="ScaledJob")], "allow"),
    "of a ScaledJob, since": (
        workload(INSTANCE),
        [job(labels=INSTANCE, owner="ScaledJob", ended=1)],
        "allow",
    ),
    "of an owner that controls nothing": (
        workload(INSTANCE),
        [job(labels=INSTANCE, owner="Shop", controls=False)],
        "refuse",
    ),
    "suspended": (workload(INSTANCE), [job(labels=INSTANCE, suspend=True)], "allow"),
    "suspended when it had ended": (
        workload(INSTANCE),
        [job(labels=INSTANCE, suspend=True, ended=1)],
        "ask",
    ),
    "named, of a controller": (NAMED, [job(owner="Shop")], "refuse"),
    "named, suspended": (NAMED, [job(suspend=True)], "allow"),
    "named": (NAMED, [job("api-migrate", ended=1)], "ask"),
    "named, with a suffix": (NAMED, [job("db-42")], "refuse"),
    "only begins alike": (NAMED, [job("dbx", ended=1)], "allow"),
    "one ended, one running": (
        workload(INSTANCE),
        [job("a", labels=INSTANCE, ended=1), job("b", labels=INSTANCE)],
        "refuse",
    ),
}


@pytest.mark.parametrize("case", TABLE)
def test_jobs(case: str) -> None:
    found, jobs, answer = TABLE[case]
    verdict = Migration().judged(migration_jobs(found, jobs), (), NOON)
    assert verdict.answer == answer, verdict.why
    assert verdict.passing is (answer == "refuse")


@pytest.mark.parametrize(("ended", "answer"), [(-1, "allow"), (1, "ask")])
def test_before_an_undoing_only_what_was_migrated_since_counts(ended: float, answer: str) -> None:
    jobs = migration_jobs(workload(INSTANCE), [job(labels=INSTANCE, ended=ended)])
    verdict = Migration().judged(jobs, (), NOON, undoes=True)
    assert verdict.answer == answer
    if answer == "ask":
        assert (
            "the version to put back may not run on today's schema: Job api-migrate has run since"
            in verdict.why
        )
    assert Migration().judged(jobs, (), NOON).answer == "ask", (
        "a rollback goes to before the release's own Job"
    )


def test_a_job_while_nobody_knows_since_when_is_unknown() -> None:
    jobs = migration_jobs(workload(INSTANCE), [job(labels=INSTANCE, ended=1)])
    assert Migration().judged(jobs, (), None).answer == "unknown"
    assert Migration().judged((), (), None).answer == "allow"


def with_init(name: str = "init", image: str = "app:v2", *command: str) -> dict[str, Any]:
    return template("app:v2", initContainers=[{"name": name, "image": image, "command": list(command)}])


@pytest.mark.parametrize(
    ("container", "migrates"),
    [
        (("db-migrate",), True),
        (("init", "flyway/flyway:10"), True),
        (("init", "app:v2", "alembic", "upgrade", "head"), True),
        (("init", "app:v2", "sh", "-c", "bundle exec rails db:migrate"), True),
        (("init", "app:v2", "npx", "prisma", "db", "push"), True),
        (("init", "liquibase:4"), True),
        (("init", "app:v2", "/bin/goose", "up"), True),
        (("init", "busybox", "sh", "-c", "until nc -z db 5432; do sleep 1; done"), False),
    ],
)
def test_init_containers_that_look_like_migrations_are_recognised(
    container: tuple[str, ...], migrates: bool
) -> None:
    current = with_init(*container)
    assert bool(migrating_containers(current, template("app:v1"))) is migrates
    assert migrating_containers(current, current) == ()
    other_image = with_init(container[0], "app:v1", *container[2:])
    assert bool(migrating_containers(current, other_image)) is migrates


def test_an_init_container_asks_and_is_named() -> None:
    verdict = Migration().judged((), ("db-migrate",), NOON)
    assert verdict.answer == "ask"
    assert "init container db-migrate" in verdict.why


def test_a_template_without_sense_migrates_nothing() -> None:
    odd: dict[str, Any] = {"spec": {"initContainers": [None, {"name": 1, "command": ["migrate", 2]}]}}
    assert migrating_containers({}, odd) == ()
    assert migrating_containers(odd, {}) == ("",)
