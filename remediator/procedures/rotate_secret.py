"""Replace a secret's value."""

from remediator.domain.commands import WORKLOAD, kubectl
from remediator.domain.levels import Level
from remediator.domain.procedure import Precondition, Procedure, Step, Wrong, run

_VALUE, _PATCH = "new-value-run-${run.id}", "new-value-run-${run.id}.json"

PROCEDURE = Procedure(
    name="rotate_secret",
    title="Replace the value of one key, without a moment in which there is none",
    source="Security Incident Response, Data Breach Response",
    level=Level.G3,
    approver="two people, one of them of the security team: whoever holds the old value is signed out",
    preconditions=(
        Precondition(text="which Secret it is is known", fact="target.secret"),
        Precondition(text="which entry of it is known", fact="target.secret_key"),
    ),
    steps=(
        Step(
            text="Does an operator own it? Then rotate it where it comes from (Vault, a cloud's store), and stop here.",
            commands=(
                kubectl("get", "secret", "${target.secret}", "-o", "jsonpath={.metadata.ownerReferences}"),
            ),
        ),
        Step(
            text="Make the value in a file that only you can read: arguments are seen by everybody on the machine.",
            commands=(
                run("install", "-m", "600", "/dev/null", _VALUE),
                run("openssl", "rand", "-hex", "32", into=_VALUE),
                run("install", "-m", "600", "/dev/null", _PATCH),
                run(
                    "jq",
                    "-n",
                    "--rawfile",
                    "value",
                    _VALUE,
                    "--arg",
                    "key",
                    "${target.secret_key}",
                    '{stringData: {($key): ($value | rtrimstr("\\n"))}}',
                    into=_PATCH,
                ),
            ),
        ),
        Step(
            text="Put it in the place of the old one. The other keys stay.",
            commands=(
                kubectl("patch", "secret", "${target.secret}", "--type=merge", "--patch-file", _PATCH),
            ),
        ),
        Step(
            text="Pods that run have the old one until they are new.",
            commands=(
                kubectl("rollout", "restart", WORKLOAD),
                kubectl("rollout", "status", WORKLOAD, "--timeout=10m"),
            ),
        ),
        Step(text="Leave nothing behind.", commands=(run("shred", "-u", _VALUE, _PATCH),)),
    ),
    wrong=(
        Wrong(
            old="kubectl delete secret app-secrets; kubectl create secret generic app-secrets ...",
            why="Between the two there was no Secret, and pods that started then failed; keys not named were lost.",
        ),
        Wrong(
            old="kubectl create secret ... --from-literal=... with $(openssl rand -base64 32) in it",
            why="The value stood in the arguments of a process and in the shell's history.",
        ),
    ),
)
