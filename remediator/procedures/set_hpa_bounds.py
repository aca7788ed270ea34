"""Let an autoscaler go further."""

from remediator.domain.commands import kubectl
from remediator.domain.levels import Level
from remediator.domain.procedure import Precondition, Procedure, Step, Wrong

PROCEDURE = Procedure(
    name="set_hpa_bounds",
    title="Let the autoscaler make more replicas",
    source="Infrastructure Optimization, 2. Scaling Optimization",
    level=Level.G2,
    approver="one person of the workload's team: it costs, and what it depends on takes the load",
    preconditions=(
        Precondition(text="it has a HorizontalPodAutoscaler", fact="autoscaler.name"),
        Precondition(text="its bounds are known", fact="autoscaler.max"),
    ),
    steps=(
        Step(
            text="Is it limited by its bounds at all? See ScalingLimited among its conditions.",
            commands=(kubectl("describe", "hpa", "${autoscaler.name}"),),
        ),
        Step(
            text="It keeps ${autoscaler.min} to ${autoscaler.max} replicas; let it go to ${autoscaler.raised}. Its "
            "targets (spec.metrics) stay as they are.",
            commands=(
                kubectl(
                    "patch",
                    "hpa.v2.autoscaling",
                    "${autoscaler.name}",
                    "--type=merge",
                    "-p",
                    '{"spec": {"maxReplicas": ${autoscaler.raised}}}',
                ),
            ),
        ),
        Step(text="To take it back: the same with maxReplicas ${autoscaler.max}."),
    ),
    wrong=(
        Wrong(
            old="kubectl patch hpa backend-hpa -p '{... \"targetMemoryUtilizationPercentage\": 80}'",
            why="There is no such field: autoscaling/v2 has spec.metrics, and v1 only a target for CPU.",
        ),
    ),
)
