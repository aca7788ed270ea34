"""Deal with a damaged database."""

from remediator.domain.commands import dump, in_server, psql, start_writers, stop_writers
from remediator.domain.levels import Level
from remediator.domain.procedure import Precondition, Procedure, Step, Wrong

_AMCHECK = (
    "pg_amcheck",
    "-U",
    "${database.admin}",
    "-d",
    "${database.name}",
    "--heapallindexed",
    "--parent-check",
)

PROCEDURE = Procedure(
    name="repair_database",
    title="Find out what of the database is damaged, and rebuild its indexes",
    source="PostgreSQL Recovery Procedures, 2. Database Corruption Recovery",
    level=Level.G3,
    approver="two people, one of them the owner of the database",
    preconditions=(
        Precondition(text="a verified backup exists, should it get worse", fact="backup.id"),
        Precondition(text="how many replicas to start again is known", fact="target.replicas"),
        Precondition(text="nothing changes the replicas meanwhile", fact="target.autoscaler", equals="none"),
    ),
    steps=(
        Step(
            text="Stop what writes. It had ${target.replicas} replicas.",
            commands=stop_writers(),
        ),
        Step(
            text="Copy the volume (a VolumeSnapshot, or the disk's own) before anything is repaired: of a damaged "
            "database a dump may fail half-way, and then the volume is all there is."
        ),
        Step(text="Try a dump all the same.", commands=(dump(into="before-repair-run-${run.id}.dump"),)),
        Step(
            text="What is damaged? Tables that are cannot be reindexed away: then restore_database is the way.",
            commands=(
                psql("create extension if not exists amcheck"),
                in_server(*_AMCHECK),
                psql("select datname, checksum_failures, checksum_last_failure from pg_stat_database"),
            ),
        ),
        Step(
            text="If only indexes are: rebuild them, beside the old ones. It needs as much free disk again.",
            commands=(psql("reindex (verbose) database concurrently ${database.name:identifier}"),),
        ),
        Step(text="It has to be silent now.", commands=(in_server(*_AMCHECK),)),
        Step(text="Start it again, with as many replicas as it had.", commands=start_writers()),
    ),
    wrong=(
        Wrong(
            old="SELECT ... FROM pg_stats ... (as integrity check)",
            why="pg_stats holds the planner's statistics: it says nothing about damage. pg_amcheck reads the pages.",
        ),
        Wrong(
            old="REINDEX DATABASE smartcloudops;",
            why="It locks each table while it is at it, and was run before anybody knew what was damaged.",
        ),
        Wrong(
            old="kubectl scale deployment backend --replicas=3",
            why="3 is not what it had, and an autoscaler that was stopped by 0 replicas stays stopped.",
        ),
    ),
)
