"""Try the recovery where nobody is hurt."""

from remediator.domain.commands import kubectl
from remediator.domain.levels import Level
from remediator.domain.procedure import Precondition, Procedure, Step, Wrong, run

_PLACE = "recovery-run-${run.id}"
_MARK = "remediator.io/rehearsal=run-${run.id}"
_STRIPPED = (
    "del(.items[].metadata | .namespace, .uid, .resourceVersion, .creationTimestamp, .managedFields, .ownerReferences)"
    " | del(.items[].status, .items[].spec.clusterIP, .items[].spec.clusterIPs)"
    ' | del(.items[] | select(.metadata.name == "kube-root-ca.crt" or .metadata.name == "kubernetes"))'
)

PROCEDURE = Procedure(
    name="rehearse_recovery",
    title="Restore everything into a namespace of its own, and take it away again",
    source="Full System Recovery, 2. Disaster Recovery Test",
    level=Level.G2,
    approver="one person of the platform team: it takes room in the cluster",
    preconditions=(Precondition(text="there is a verified backup", fact="backup.id"),),
    steps=(
        Step(
            text="A namespace with a mark by which it may be deleted later, and with a limit.",
            commands=(
                run("kubectl", "create", "namespace", _PLACE),
                run("kubectl", "label", "namespace", _PLACE, _MARK),
                run(
                    "kubectl", "-n", _PLACE, "create", "quota", "rehearsal", "--hard=cpu=4,memory=8Gi,pods=20"
                ),
            ),
        ),
        Step(
            text="What runs, without the namespace it names: else kubectl refuses it, or it lands in production.",
            commands=(
                kubectl("get", "configmaps,services,deployments,statefulsets", "-o", "json")
                .pipe("jq", _STRIPPED)
                .pipe("kubectl", "-n", _PLACE, "create", "-f", "-"),
            ),
        ),
        Step(
            text="Secrets come from where they are kept, with other values than production's. Restore ${backup.id} "
            f"into the database there: the procedure restore_database, in namespace {_PLACE}."
        ),
        Step(
            text="See it come up.",
            commands=(
                run(
                    "kubectl",
                    "-n",
                    _PLACE,
                    "wait",
                    "deployments",
                    "--all",
                    "--for=condition=Available",
                    "--timeout=10m",
                ),
            ),
        ),
        Step(
            text="Take away what bears the mark, and nothing else.",
            commands=(run("kubectl", "delete", "namespace", "-l", _MARK),),
        ),
    ),
    wrong=(
        Wrong(
            old="kubectl apply -f k8s-backup-latest.yaml -n smartcloudops-dr-test",
            why="The file names the namespace smartcloudops: kubectl refuses that, or it overwrites production.",
        ),
        Wrong(
            old="kubectl delete namespace smartcloudops-dr-test",
            why="One slip of the name deletes production: it is deleted by its mark.",
        ),
    ),
)
