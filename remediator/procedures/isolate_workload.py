"""Cut a workload off after a breach."""

from remediator.domain.commands import WORKLOAD, kubectl
from remediator.domain.levels import Level
from remediator.domain.procedure import Precondition, Procedure, Step, Wrong, run

_LOGS, _STATE = "evidence-run-${run.id}.log", "evidence-run-${run.id}.yaml"
_POLICY = (
    '{"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "isolated-run-${run.id}", '
    '"namespace": "${target.namespace}"}, "spec": {"podSelector": {"matchLabels": ${target.match_labels}}, '
    '"policyTypes": ["Ingress", "Egress"]}}'
)

PROCEDURE = Procedure(
    name="isolate_workload",
    title="Keep the evidence, then cut the workload off from the network",
    source="Security Incident Response, Data Breach Response",
    level=Level.G3,
    approver="two people, one of them of the security team: the service is down for its users",
    preconditions=(Precondition(text="which pods are meant is known", fact="target.match_labels"),),
    steps=(
        Step(
            text="Evidence first: the lines and the objects of its pods are gone with the pods.",
            commands=(
                kubectl(
                    "logs",
                    "-l",
                    "${target.selector}",
                    "--all-containers",
                    "--prefix",
                    "--timestamps",
                    "--tail=-1",
                    "--max-log-requests=50",
                    into=_LOGS,
                ),
                kubectl("get", "pods,events", "-o", "yaml", into=_STATE),
                run("sha256sum", _LOGS, _STATE, into="evidence-run-${run.id}.sha256"),
            ),
        ),
        Step(
            text="Nothing in, nothing out. Its memory and its disk stay for whoever examines them. It takes a network "
            "plugin that enforces NetworkPolicies, and another policy that allows something still allows it.",
            commands=(run("printf", "%s", _POLICY).pipe("kubectl", "apply", "-f", "-"),),
        ),
        Step(
            text="See that nothing else lets them through.",
            commands=(kubectl("get", "networkpolicies"),),
        ),
        Step(
            text="Should it go on all the same, scaling ${target.kind} ${target.name} to 0 is the last resort: it "
            "destroys what its pods hold in memory.",
        ),
        Step(
            text="Keep what it is, for the day it may be started again.",
            commands=(kubectl("get", WORKLOAD, "-o", "yaml", into="isolated-run-${run.id}.yaml"),),
        ),
    ),
    wrong=(
        Wrong(
            old="kubectl scale deployment backend --replicas=0, and then kubectl logs ... > security-logs",
            why="With the pods their logs are gone: the evidence was destroyed before it was kept.",
        ),
    ),
)
