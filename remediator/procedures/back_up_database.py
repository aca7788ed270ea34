"""Back a database up."""

from remediator.domain.commands import dump
from remediator.domain.levels import Level
from remediator.domain.procedure import Procedure, Step, Wrong, run

_FILE = "backup-run-${run.id}.dump"

PROCEDURE = Procedure(
    name="back_up_database",
    title="Make a backup of the database that can be proven to be one",
    source="Backup Procedures, Database Backup",
    level=Level.G2,
    approver="one person: it reads everything, and takes time of the server",
    steps=(
        Step(text="Dump it as an archive.", commands=(dump(into=_FILE),)),
        Step(
            text="Read its table of contents: an archive that was cut off has none. Then its checksum.",
            commands=(
                run("pg_restore", "--list", _FILE),
                run("sha256sum", _FILE, into=f"{_FILE}.sha256"),
            ),
        ),
        Step(
            text="Take both to where backups are kept.",
            commands=(
                run("aws", "s3", "cp", _FILE, f"${{backup.directory}}{_FILE}"),
                run("aws", "s3", "cp", f"{_FILE}.sha256", f"${{backup.directory}}{_FILE}.sha256"),
            ),
        ),
        Step(text="It is verified once it was restored somewhere: see the procedure rehearse_recovery."),
    ),
    wrong=(
        Wrong(
            old="kubectl exec -it postgresql-0 -- pg_dump -U postgres smartcloudops > backup.sql",
            why="With -t the terminal rewrites line ends within the dump; and nobody looked whether it was whole.",
        ),
    ),
)
