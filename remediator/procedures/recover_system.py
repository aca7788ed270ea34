"""Bring a whole system back."""

from remediator.domain.commands import kubectl, start_writers, stop_writers
from remediator.domain.levels import Level
from remediator.domain.procedure import Precondition, Procedure, Step, Wrong, run

_WORKLOADS = "deployments,statefulsets,horizontalpodautoscalers"

PROCEDURE = Procedure(
    name="recover_system",
    title="Bring the system back, in order of what depends on what",
    source="Full System Recovery, 1. Complete System Restore",
    level=Level.G4,
    approver="the incident's commander and the owner of the database, step by step",
    preconditions=(
        Precondition(text="there is a verified backup", fact="backup.id"),
        Precondition(text="how many replicas to start again is known", fact="target.replicas"),
        Precondition(text="nothing changes the replicas meanwhile", fact="target.autoscaler", equals="none"),
    ),
    steps=(
        Step(
            text="Write down what runs with how many replicas, before anything is stopped.",
            commands=(kubectl("get", _WORKLOADS, "-o", "yaml", into="system-run-${run.id}.yaml"),),
        ),
        Step(
            text="Stop only what writes to the database; ${target.kind} ${target.name} had ${target.replicas} "
            "replicas. The database itself stays up.",
            commands=stop_writers(),
        ),
        Step(text="Restore the database from ${backup.id}: the procedure restore_database, all of it."),
        Step(
            text="Bring the configuration back from where it is kept (Git, Helm), not from a dump: see what differs "
            "first, with kubectl diff."
        ),
        Step(
            text="Start what others depend on first, each with as many replicas as it had.",
            commands=start_writers(),
        ),
        Step(
            text="Ask it, and then see the alerts clear: a health check that answers is no recovery.",
            commands=(run("kubectl", "get", "--raw", "${target.health}"),),
        ),
    ),
    wrong=(
        Wrong(
            old="kubectl scale deployment --all --replicas=0",
            why="It stops what has to stay up as well, and nobody had written down how many there were.",
        ),
        Wrong(
            old="kubectl scale deployment backend --replicas=3; kubectl scale deployment frontend --replicas=2",
            why="Constants instead of what ran; and an autoscaler that was stopped by 0 replicas stays stopped.",
        ),
        Wrong(
            old="kubectl apply -f k8s-backup-latest.yaml",
            why="`get all` left ConfigMaps, Secrets, volume claims, Ingresses and rights out of it.",
        ),
        Wrong(
            old="curl -f http://backend:5000/health",
            why="The name resolves only within the namespace: from elsewhere it says nothing about the service.",
        ),
    ),
)
