"""Keep what describes a namespace."""

from remediator.domain.commands import kubectl
from remediator.domain.levels import Level
from remediator.domain.procedure import Procedure, Step, Wrong, run

_KINDS = (
    "deployments,statefulsets,daemonsets,cronjobs,services,ingresses,configmaps,persistentvolumeclaims,"
    "horizontalpodautoscalers,poddisruptionbudgets,networkpolicies,serviceaccounts,roles,rolebindings"
)

PROCEDURE = Procedure(
    name="back_up_configuration",
    title="Keep what Git does not have of the namespace",
    source="Backup Procedures, Configuration Backup",
    level=Level.G4,
    approver="nobody for the first step; the security team for Secrets",
    steps=(
        Step(
            text="Git is the backup of what is deployed from it; this is for comparing with it.",
            commands=(kubectl("get", _KINDS, "-o", "yaml", into="${target.namespace}-run-${run.id}.yaml"),),
        ),
        Step(
            text="Custom resources are not among these: see which kinds there are.",
            commands=(run("kubectl", "api-resources", "--namespaced", "--verbs=list", "-o", "name"),),
        ),
        Step(
            text="Secrets belong into a store that encrypts them, not into a file: which there are, without values.",
            commands=(kubectl("get", "secrets"),),
        ),
        Step(
            text="The state of Terraform has its own backend with versions; a copy holds secrets in the clear.",
            commands=(run("terraform", "state", "list"),),
        ),
    ),
    wrong=(
        Wrong(
            old="kubectl get all -o yaml > k8s-backup.yaml",
            why="`all` leaves out ConfigMaps, Secrets, volume claims, Ingresses, rights and custom resources.",
        ),
        Wrong(
            old="kubectl get secrets -o yaml > secrets-backup.yaml   # encrypted",
            why="base64 is no encryption: whoever has the file has every secret.",
        ),
    ),
)
