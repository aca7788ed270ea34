"""Runs that are about to change something, and what becomes of what they change, without a cluster."""

from remediator.domain.answers import GuardVerdict, Limit, Refusal
from remediator.domain.change import TemplatePatch
from remediator.domain.run_view import TriggerAlert
from remediator.domain.target import Target
from remediator.rulebook.rule import Rule
from remediator.run import Plan, Run
from remediator.step import Guard
from remediator.store import attempts, incidents, runs
from remediator.store.attempts import Attempt, LeaseLost, Outcome
from remediator.store.database import Database
from tests.support.clock import START

OWNER = "replica-1"


def change(target: Target, number: int = 0) -> TemplatePatch:
    """The `number`-th of a plan."""
    return TemplatePatch(
        action="restart",
        target=target,
        uid="u1",
        from_template={"spec": {"containers": [{"image": f"app:{number}"}]}},
        to_template={"spec": {"containers": [{"image": f"app:{number + 1}"}]}},
        from_title="before",
        to_title="after",
        summary=f"change {target}",
    )


async def approved(
    database: Database, name: str, *, namespace: str = "shop", changes: int = 1, rule: str = "hung"
) -> Run:
    """A run whose plan may be carried out now, leased by us."""
    target = Target(cluster="default", kind="deployment", namespace=namespace, name=name)
    alert = TriggerAlert(
        source="alertmanager", fingerprint=name, labels={}, annotations={}, starts_at=START, received_at=START
    )
    plan = Plan(rung=0, changes=tuple(change(target, number) for number in range(changes)))
    async with database.transaction() as connection:
        incident_id, _ = await incidents.attach(
            connection, subject=str(target), title="t", cluster="default", target=target, severity=None
        )
        run_id = await runs.create(
            connection,
            incident_id=incident_id,
            rule=Rule(rule=rule, match=('{alertname="Slow"}',), mode="act"),
            mode="act",
            target=target,
            trigger=alert,
            depends_on=(),
        )
        await connection.execute(
            """update runs set state = 'APPROVED', plan = $2, epoch = nextval('epochs'), lease_owner = $3,
                               lease_until = remediator_now() + interval '30 days' where id = $1""",
            run_id,
            plan.to_json(),
            OWNER,
        )
        run = await runs.find(connection, run_id)
    assert run is not None
    return run


def limits_of(run: Run, *guards: Guard) -> list[Limit]:
    assert run.plan is not None
    return [limit for guard in guards for limit in guard.limits(run.plan.changes[0], run.view)]


async def intend(
    database: Database, run: Run, *guards: Guard, index: int = 0
) -> Attempt | LeaseLost | Refusal | tuple[GuardVerdict, ...]:
    """Commit the intent of one change of the plan, if these guards' counts allow it; nobody is asked."""
    assert run.plan is not None
    async with database.transaction() as connection:
        return await attempts.commit_intent(
            connection, run, OWNER, index, run.plan.changes[index], limits_of(run, *guards), None
        )


async def outcome(database: Database, run: Run, attempt: Attempt, said: Outcome = "applied") -> None:
    """This became of it."""
    async with database.transaction() as connection:
        assert await attempts.record_outcome(connection, run, OWNER, attempt, said, "a test says so")


async def move(database: Database, run: Run, state: str) -> None:
    """The run is in another state now; it has ended when that is no state to work in."""
    async with database.connection() as connection:
        await connection.execute(
            """update runs set state = $2::text,
                   ended_at = case when $2 in ('ACTED', 'PLANNED') then null else remediator_now() end
               where id = $1""",
            run.id,
            state,
        )
