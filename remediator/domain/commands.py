"""Commands that several procedures are made of."""

from remediator.domain.procedure import Command, run

_DATABASE = (
    "kubectl",
    "-n",
    "${database.namespace}",
    "exec",
    "${database.pod}",
    "-c",
    "${database.container}",
    "--",
)
_STDIN = (*_DATABASE[:4], "-i", *_DATABASE[4:])
WORKLOAD = "${target.kind}/${target.name}"


def kubectl(*argv: str, into: str | None = None) -> Command:
    """In the target's namespace. Never with -t: nothing here needs a terminal."""
    return run("kubectl", "-n", "${target.namespace}", *argv, into=into)


def in_server(*argv: str, into: str | None = None, given: str | None = None) -> Command:
    """A program in the container of the database's server."""
    return run(*(_DATABASE if given is None else _STDIN), *argv, into=into, given=given)


def psql(*statements: str, database: str = "${database.name}") -> Command:
    """Statements in one session, each in an implicit transaction of its own: several in one -c would share one."""
    options = ("-X", "-v", "ON_ERROR_STOP=1", "-U", "${database.admin}", "-d", database)
    return in_server("psql", *options, *(word for each in statements for word in ("-c", each)))


def dump(into: str) -> Command:
    """An archive of the whole database, which pg_restore reads."""
    return in_server("pg_dump", "-U", "${database.admin}", "-Fc", "-d", "${database.name}", into=into)


def stop_writers() -> tuple[Command, ...]:
    """No pod of the target runs any more when these are through."""
    gone = ("--for=delete", "--timeout=5m")
    return (
        kubectl("scale", WORKLOAD, "--replicas=0"),
        kubectl("wait", "pod", "-l", "${target.selector}", *gone),
    )


def start_writers() -> tuple[Command, ...]:
    """As many replicas as there were when the facts were looked at."""
    return (
        kubectl("scale", WORKLOAD, "--replicas=${target.replicas}"),
        kubectl("rollout", "status", WORKLOAD, "--timeout=10m"),
    )


def migrate(*alembic: str) -> Command:
    """Alembic in a Job made of the workload's own template: no pod of the workload has to run."""
    words = ", ".join(f'"{each}"' for each in ("alembic", *alembic))
    made = (
        '{apiVersion: "batch/v1", kind: "Job", metadata: {name: $job}, spec: {backoffLimit: 0, template: '
        '{metadata: {labels: {job: $job}}, spec: (.spec.template.spec | .restartPolicy = "Never" | .containers = '
        f"[.containers[] | select(.name == $container) | .command = [{words}] | "
        "del(.args, .livenessProbe, .readinessProbe, .startupProbe)])}}}"
    )
    names = ("--arg", "job", "migrate-run-${run.id}", "--arg", "container", "${target.container}")
    return (
        kubectl("get", WORKLOAD, "-o", "json")
        .pipe("jq", *names, made)
        .pipe("kubectl", "-n", "${target.namespace}", "create", "-f", "-")
    )


def migrated() -> tuple[Command, ...]:
    """What became of that Job."""
    job = "job/migrate-run-${run.id}"
    return (kubectl("wait", job, "--for=condition=complete", "--timeout=10m"), kubectl("logs", job))
