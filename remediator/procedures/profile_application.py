"""See what a running process is at."""

from remediator.domain.commands import kubectl
from remediator.domain.levels import Level
from remediator.domain.procedure import Precondition, Procedure, Step, Wrong

_RECORD = (
    "pip install --quiet py-spy && py-spy record --pid 1 --duration 30 --format raw --output /dev/stdout"
)

PROCEDURE = Procedure(
    name="profile_application",
    title="Sample the running Python process for half a minute",
    source="Application Optimization, 2. Application Performance",
    level=Level.G2,
    approver="one person of the workload's team: it takes a container beside the process that may read its memory",
    preconditions=(Precondition(text="a pod is ready", fact="target.pod"),),
    steps=(
        Step(
            text="From a container of its own, beside the one that serves. It stays in the pod until that is replaced.",
            commands=(
                kubectl(
                    "debug",
                    "${target.pod}",
                    "--target=${target.container}",
                    "--container=profile-run-${run.id}",
                    "--image=python:3.13-slim",
                    "--profile=sysadmin",
                    "--attach",
                    "--quiet",
                    "--",
                    "sh",
                    "-c",
                    _RECORD,
                    into="profile-run-${run.id}.txt",
                ),
            ),
        ),
        Step(
            text="The stacks that were seen most often are last; flamegraph.pl draws the same file.",
            commands=(),
        ),
    ),
    wrong=(
        Wrong(
            old='kubectl exec -it backend-pod -- python -c "import cProfile ..."',
            why="It starts another interpreter and profiles that one, which does nothing.",
        ),
        Wrong(
            old='kubectl exec -it backend-pod -- python -c "import psutil; psutil.Process() ..."',
            why="It measures the interpreter it has just started: container_memory_working_set_bytes is the service's.",
        ),
    ),
)
