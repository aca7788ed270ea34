"""Look for access that nobody allowed."""

from remediator.domain.commands import kubectl
from remediator.domain.levels import Level
from remediator.domain.procedure import Procedure, Step, Wrong, run

_FILE = "access-run-${run.id}.log"

PROCEDURE = Procedure(
    name="investigate_access",
    title="Keep the workload's log lines, and see who asked for what",
    source="Security Incident Response, Unauthorized Access",
    level=Level.G2,
    approver="the security team: raw lines name people",
    steps=(
        Step(
            text="All lines of the last hour, of all containers, kept before they rotate.",
            commands=(
                kubectl(
                    "logs",
                    "-l",
                    "${target.selector}",
                    "--all-containers",
                    "--prefix",
                    "--timestamps",
                    "--since=1h",
                    "--tail=-1",
                    "--max-log-requests=50",
                    into=_FILE,
                ),
                run("sha256sum", _FILE, into=f"{_FILE}.sha256"),
            ),
        ),
        Step(
            text="What of it is about signing in.",
            commands=(run("grep", "-iE", "auth|login|unauthorized|forbidden", _FILE),),
        ),
        Step(
            text="Which addresses, by how often.",
            commands=(
                run("grep", "-oE", r"([0-9]{1,3}\.){3}[0-9]{1,3}", _FILE)
                .pipe("sort")
                .pipe("uniq", "-c")
                .pipe("sort", "-nr")
                .pipe("head", "-n", "50"),
            ),
        ),
    ),
    wrong=(
        Wrong(
            old='kubectl logs -l app=backend | grep -i "auth\\|login\\|unauthorized"',
            why="With a selector kubectl gives the last 10 lines of each container: --tail=-1 gives all of them.",
        ),
        Wrong(
            old="kubectl logs -l app=backend | grep -E '([0-9]{1,3}\\.){3}[0-9]{1,3}' | sort | uniq -c",
            why="Without -o it counts whole lines, of which each is there once.",
        ),
    ),
)
