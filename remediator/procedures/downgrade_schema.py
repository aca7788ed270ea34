"""Take a migration back."""

from remediator.domain.commands import WORKLOAD, dump, kubectl, psql
from remediator.domain.levels import Level
from remediator.domain.procedure import Precondition, Procedure, Step, Wrong

_ALEMBIC = ("exec", WORKLOAD, "-c", "${target.container}", "--", "alembic")

PROCEDURE = Procedure(
    name="downgrade_schema",
    title="Take the schema back to its version before the current rollout",
    source="Application Rollback, 3. Database Schema Rollback",
    level=Level.G3,
    approver="two people, one of them the owner of the database: what the newer migrations added is lost",
    preconditions=(
        Precondition(text="the schema's version before the rollout is known", fact="schema.before"),
        Precondition(text="a verified backup is at most a day old", fact="backup.age_hours", at_most=24),
    ),
    steps=(
        Step(
            text="Keep everything as it is now; check that the archive can be read.",
            commands=(
                dump(into="before-downgrade-run-${run.id}.dump"),
                kubectl("get", WORKLOAD, "-o", "yaml", into="before-run-${run.id}.yaml"),
            ),
        ),
        Step(
            text="Read what it will do, from ${schema.head} to ${schema.before}. Stop at a DROP that nobody wants.",
            commands=(kubectl(*_ALEMBIC, "downgrade", "${schema.head}:${schema.before}", "--sql"),),
        ),
        Step(
            text="Do it while the newer version still runs: the older one does not know the way back.",
            commands=(kubectl(*_ALEMBIC, "downgrade", "${schema.before}"),),
        ),
        Step(
            text="See ${schema.before} here, then roll the workload back.",
            commands=(psql("select version_num from alembic_version"),),
        ),
    ),
    wrong=(
        Wrong(
            old="kubectl exec -it backend-pod -- alembic downgrade -1",
            why="-1 is one step from wherever it stands, however many the release added; and -t needs a terminal.",
        ),
    ),
)
