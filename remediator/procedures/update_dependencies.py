"""See what runs, to bring it up to date."""

from remediator.domain.commands import kubectl
from remediator.domain.levels import Level
from remediator.domain.procedure import Procedure, Step

PROCEDURE = Procedure(
    name="update_dependencies",
    title="Bring dependencies up to date",
    source="Regular Maintenance Tasks, Weekly",
    level=Level.G4,
    approver="the workload's team, in review of the change",
    steps=(
        Step(
            text="Which images run, by how many containers.",
            commands=(
                kubectl(
                    "get", "pods", "-o", 'jsonpath={range .items[*].spec.containers[*]}{.image}{"\\n"}{end}'
                )
                .pipe("sort")
                .pipe("uniq", "-c")
                .pipe("sort", "-nr"),
            ),
        ),
        Step(text="Update in the repository of each, through its tests and its review."),
    ),
)
