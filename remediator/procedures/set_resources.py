"""Give a workload more memory."""

from remediator.domain.commands import WORKLOAD, kubectl
from remediator.domain.levels import Level
from remediator.domain.procedure import Precondition, Procedure, Step, Wrong

PROCEDURE = Procedure(
    name="set_resources",
    title="Raise the workload's memory limit",
    source="Infrastructure Optimization, 1. Resource Optimization",
    level=Level.G2,
    approver="one person of the workload's team; where a pipeline deploys it, the change belongs there",
    when=("memory.short", "yes"),
    preconditions=(
        Precondition(text="it has a memory limit", fact="memory.limit"),
        Precondition(text="its memory does not suffice", fact="memory.short", equals="yes"),
    ),
    steps=(
        Step(
            text="Look what it uses. A limit is no cure for a leak: then it only takes longer.",
            commands=(
                kubectl("top", "pods", "-l", "${target.selector}", "--containers"),
                kubectl("rollout", "history", WORKLOAD),
            ),
        ),
        Step(
            text="From ${memory.limit} to ${memory.suggested}: ${memory.rests_on}. All its pods are replaced.",
            commands=(
                kubectl(
                    "set",
                    "resources",
                    WORKLOAD,
                    "-c",
                    "${memory.container}",
                    "--limits=memory=${memory.suggested}",
                ),
                kubectl("rollout", "status", WORKLOAD, "--timeout=10m"),
            ),
        ),
        Step(text="To take it back: the same with --limits=memory=${memory.limit}."),
    ),
    wrong=(
        Wrong(
            old='kubectl patch deployment backend -p \'{... "limits": {"cpu": "500m", "memory": "512Mi"}}\'',
            why="Constants, whatever it has and uses: that was a cut as often as a raise.",
        ),
    ),
)
