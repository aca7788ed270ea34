"""Put a ConfigMap back."""

from remediator.domain.commands import WORKLOAD, kubectl
from remediator.domain.levels import Level
from remediator.domain.procedure import Precondition, Procedure, Step, Wrong

_FILE = "${target.config_map}-previous.yaml"

PROCEDURE = Procedure(
    name="restore_config_map",
    title="Put the workload's configuration back",
    source="Infrastructure Rollback, 2. Kubernetes Configuration Rollback",
    level=Level.G2,
    approver="one person of the workload's team",
    preconditions=(Precondition(text="which ConfigMap it is is known", fact="target.config_map"),),
    steps=(
        Step(
            text="Keep what is there now.",
            commands=(
                kubectl(
                    "get", "configmap", "${target.config_map}", "-o", "yaml", into="config-run-${run.id}.yaml"
                ),
            ),
        ),
        Step(
            text="Write the ConfigMap as it was into ${target.config_map}-previous.yaml: from Git, or with helm get "
            "manifest of the release before. The daemon keeps only hashes of what it held. Where Argo CD or Flux own "
            "it, revert in Git and stop here: they would put it back.",
        ),
        Step(text="Read the difference.", commands=(kubectl("diff", "-f", _FILE).pipe("cat"),)),
        Step(text="Put it back.", commands=(kubectl("apply", "-f", _FILE),)),
        Step(
            text="Running pods do not read it again by themselves.",
            commands=(
                kubectl("rollout", "restart", WORKLOAD),
                kubectl("rollout", "status", WORKLOAD, "--timeout=10m"),
            ),
        ),
    ),
    wrong=(
        Wrong(
            old="kubectl apply -f previous-config.yaml",
            why="Nobody had saved that file: the step before it saves the current configuration, which is the bad one.",
        ),
    ),
)
