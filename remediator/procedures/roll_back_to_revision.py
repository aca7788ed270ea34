"""Roll a workload back by hand."""

from remediator.domain.commands import WORKLOAD, kubectl
from remediator.domain.levels import Level
from remediator.domain.procedure import Precondition, Procedure, Step, Wrong

PROCEDURE = Procedure(
    name="roll_back_to_revision",
    title="Roll the workload back to its newest good revision",
    source="Application Rollback, 2. Specific Version Rollback",
    level=Level.G2,
    approver="one person of the workload's team, who knows that the older version runs on today's schema",
    preconditions=(
        Precondition(text="a revision is known to be good", fact="revision.good"),
        Precondition(text="the revision that runs is known", fact="revision.current"),
    ),
    steps=(
        Step(
            text="Keep what runs now, revision ${revision.current}.",
            commands=(kubectl("get", WORKLOAD, "-o", "yaml", into="before-run-${run.id}.yaml"),),
        ),
        Step(
            text="Go back to revision ${revision.good}.",
            commands=(kubectl("rollout", "undo", WORKLOAD, "--to-revision=${revision.good}"),),
        ),
        Step(
            text="See it through; then see the alert clear: a finished rollout is no recovery.",
            commands=(kubectl("rollout", "status", WORKLOAD, "--timeout=10m"),),
        ),
    ),
    wrong=(
        Wrong(
            old="kubectl rollout undo deployment/backend",
            why="It goes to the revision before, which may be as bad; the newest known to be good is named above.",
        ),
        Wrong(
            old="kubectl rollout undo deployment/backend --to-revision=2",
            why="Every rollback gives the revision a new number: 2 is another version each time, or gone.",
        ),
    ),
)
