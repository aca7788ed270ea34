"""Take infrastructure back."""

from remediator.domain.levels import Level
from remediator.domain.procedure import Procedure, Step, Wrong, run

PROCEDURE = Procedure(
    name="revert_terraform",
    title="Take a change of the infrastructure back",
    source="Infrastructure Rollback, 1. Terraform Rollback",
    level=Level.G4,
    approver="the platform team, in the review of the revert",
    steps=(
        Step(
            text="Keep the state, and read what there is.",
            commands=(
                run("terraform", "state", "pull", into="before-run-${run.id}.tfstate"),
                run("terraform", "state", "list"),
            ),
        ),
        Step(text="Find the commit that changed it and revert it, in review as every change.", commands=()),
        Step(
            text="Plan first, and read what would be destroyed.",
            commands=(
                run("terraform", "plan", "-input=false", "-out=run-${run.id}.tfplan"),
                run("terraform", "show", "run-${run.id}.tfplan"),
            ),
        ),
        Step(
            text="Apply exactly that plan.",
            commands=(run("terraform", "apply", "-input=false", "run-${run.id}.tfplan"),),
        ),
        Step(
            text="Exit status 0 means that nothing is left to change, 2 that something is.",
            commands=(run("terraform", "plan", "-input=false", "-detailed-exitcode"),),
        ),
    ),
    wrong=(
        Wrong(
            old="terraform apply -var-file=previous.tfvars; terraform plan",
            why="Older variables are no older state, and the plan came after the apply.",
        ),
    ),
)
