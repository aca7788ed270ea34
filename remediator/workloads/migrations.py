"""Signs that the database's schema was changed with a release: Jobs, and init containers that migrate."""

import re
from collections.abc import Iterable
from datetime import datetime

from remediator.domain.value import JsonObject, Value
from remediator.workloads.fields import at, condition, moment, objects, text
from remediator.workloads.release import same_release

MIGRATION_JOB = "remediator.io/migration-job"
"""Annotation on a workload: the names of the Jobs that migrate its database, with commas. A Job whose name
goes on after that name and a dash is meant too, because a Job's template cannot be changed."""

_MIGRATES = re.compile(
    r"migrat|alembic|flyway|liquibase|goose|dbmate|prisma|atlasgo|schema[-_ ]?(?:update|upgrade)|upgrade[-_ ]?db",
    re.IGNORECASE,
)


class MigrationJob(Value):
    """One Job that may have changed the schema."""

    name: str
    ended_at: datetime | None
    """None while it runs. A failed one counts: it may have changed half."""


def migration_jobs(workload: JsonObject, jobs: Iterable[JsonObject]) -> tuple[MigrationJob, ...]:
    """The Jobs of the workload's release, and those its annotation names.

    What a controller made is routine (a CronJob, KEDA's ScaledJob, which passes its labels on): what Helm,
    kubectl and Argo CD's hooks make has no controller. A suspended Job does not run. Neither counts, but
    for a Job of a controller that the annotation names.
    """
    named = [each.strip() for each in text(workload, "metadata", "annotations", MIGRATION_JOB).split(",")]
    return tuple(
        MigrationJob(name=text(job, "metadata", "name"), ended_at=_ended_at(job))
        for job in jobs
        if not _is_suspended(job)
        and (
            _is_meant(job, [each for each in named if each])
            or (same_release(workload, job) and not _is_routine(job))
        )
    )


def migrating_containers(from_template: JsonObject, to_template: JsonObject) -> tuple[str, ...]:
    """Init containers of the current template that look like migrations and that the other one has not
    in the same form; by name.
    """
    there = {text(each, "name"): _form(each) for each in objects(to_template, "spec", "initContainers")}
    return tuple(
        name
        for each in objects(from_template, "spec", "initContainers")
        if _MIGRATES.search(_words(each)) and there.get(name := text(each, "name")) != _form(each)
    )


def _is_meant(job: JsonObject, names: Iterable[str]) -> bool:
    name = text(job, "metadata", "name")
    return any(name == each or name.startswith(f"{each}-") for each in names)


def _is_routine(job: JsonObject) -> bool:
    return any(each.get("controller") is True for each in objects(job, "metadata", "ownerReferences"))


def _is_suspended(job: JsonObject) -> bool:
    """A Job that had ended has run, whoever suspended it since."""
    return at(job, "spec", "suspend") is True and _ended_at(job) is None


def _ended_at(job: JsonObject) -> datetime | None:
    for kind in ("Complete", "Failed"):
        ended = condition(job, kind)
        if ended.get("status") == "True":
            return (
                moment(job, "status", "completionTime")
                or moment(ended, "lastTransitionTime")
                or moment(job, "metadata", "creationTimestamp")
            )
    return None


def _form(container: JsonObject) -> tuple[object, ...]:
    return container.get("image"), container.get("command"), container.get("args")


def _words(container: JsonObject) -> str:
    listed = [
        each for field in ("command", "args") for each in container.get(field) or () if isinstance(each, str)
    ]
    return " ".join([text(container, "name"), text(container, "image"), *listed])
