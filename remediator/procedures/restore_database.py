"""Restore a database from its newest verified backup."""

from remediator.domain.commands import in_server, migrate, migrated, psql, start_writers, stop_writers
from remediator.domain.levels import Level
from remediator.domain.procedure import Precondition, Procedure, Step, Wrong, run

_INTO = ("-U", "${database.admin}", "--single-transaction", "-d", "${database.restored}")
_SAME_OWNER = (
    "do $$begin execute format('alter database %I owner to %I', current_setting('handover.new'), (select "
    "pg_get_userbyid(datdba) from pg_database where datname = current_setting('handover.old'))); end$$"
)

PROCEDURE = Procedure(
    name="restore_database",
    title="Restore the database beside the old one, then swap the two",
    source="PostgreSQL Recovery Procedures, 3. Data Restoration",
    level=Level.G3,
    approver="two people, one of them the owner of the database: what was written since the backup is lost",
    preconditions=(
        Precondition(text="there is a verified backup", fact="backup.id"),
        Precondition(text="it is at most a day old", fact="backup.age_hours", at_most=24),
        Precondition(text="how many replicas to start again is known", fact="target.replicas"),
        Precondition(text="nothing changes the replicas meanwhile", fact="target.autoscaler", equals="none"),
    ),
    steps=(
        Step(
            text="Fetch backup ${backup.id} of ${backup.made_at}, ${backup.age_hours} hours old, and check it.",
            commands=(
                run("aws", "s3", "cp", "${backup.location}", "${backup.file}"),
                run("printf", "%s  %s\\n", "${backup.checksum}", "${backup.file}").pipe(
                    "sha256sum", "--check", "-"
                ),
            ),
        ),
        Step(
            text="Make an empty database beside the old one, which stays as it is, and give it the old one's owner: "
            "else the release may make no table in it. Settings and grants of the database itself are in no dump: "
            "compare the two with psql's \\l+ and \\drds.",
            commands=(
                psql(
                    "create database ${database.restored:identifier} template template0", database="postgres"
                ),
                psql(
                    "select set_config('handover.old', ${database.name:literal}, false), "
                    "set_config('handover.new', ${database.restored:literal}, false)",
                    _SAME_OWNER,
                    database="postgres",
                ),
            ),
        ),
        Step(
            text="Restore into it: all of it or nothing.",
            commands=(in_server("pg_restore", "--exit-on-error", *_INTO, given="${backup.file}"),),
            when=("backup.format", "archive"),
        ),
        Step(
            text="Restore into it: all of it or nothing.",
            commands=(in_server("psql", "-X", "-v", "ON_ERROR_STOP=1", *_INTO, given="${backup.file}"),),
            when=("backup.format", "sql"),
        ),
        Step(
            text="Look into it: are the newest rows there that have to be? This is the last moment to stop.",
            commands=(psql("select version_num from alembic_version", database="${database.restored}"),),
        ),
        Step(text="Stop what writes. It had ${target.replicas} replicas.", commands=stop_writers()),
        Step(
            text="Swap the names. The old one is kept as ${database.before}.",
            commands=(
                psql(
                    "select pg_terminate_backend(pid) from pg_stat_activity "
                    "where datname = ${database.name:literal} and pid <> pg_backend_pid()",
                    database="postgres",
                ),
                psql(
                    "alter database ${database.name:identifier} rename to ${database.before:identifier}",
                    database="postgres",
                ),
                psql(
                    "alter database ${database.restored:identifier} rename to ${database.name:identifier}",
                    database="postgres",
                ),
            ),
        ),
        Step(
            text="Bring the schema to what the release wants, in a Job: there is no pod to do it in.",
            commands=(migrate("upgrade", "head"), *migrated()),
        ),
        Step(
            text="The schema was at ${schema.head} when this was written; compare.",
            commands=(psql("select version_num from alembic_version"),),
        ),
        Step(text="Start it again, with as many replicas as it had.", commands=start_writers()),
        Step(text="Drop ${database.before} only when nobody misses anything of it, days later."),
    ),
    wrong=(
        Wrong(
            old='psql -c "DROP DATABASE IF EXISTS smartcloudops; CREATE DATABASE smartcloudops;"',
            why="Both in one -c are one transaction, in which DROP DATABASE is refused; and it would have destroyed "
            "the only copy before the backup was known to be good.",
        ),
        Wrong(
            old="psql smartcloudops < backup-20240827-143000.sql",
            why="A date of long ago; and without ON_ERROR_STOP a restore that failed half-way ends with status 0.",
        ),
        Wrong(
            old="kubectl exec -it backend-pod -- alembic upgrade head",
            why="The workload was scaled to 0 before: there is no pod.",
        ),
        Wrong(
            old="kubectl scale deployment backend --replicas=3",
            why="3 is not what it had, and an autoscaler that was stopped by 0 replicas stays stopped.",
        ),
    ),
)
