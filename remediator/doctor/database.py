"""PostgreSQL: reachable, new enough, migrated, writable by us, and how quick a commit is."""

from remediator.doctor.finding import Finding, failed, ok, warning
from remediator.doctor.systems import Systems
from remediator.errors import Permanent, RemediatorError
from remediator.store import migrate, server
from remediator.store.database import Connection
from remediator.store.server import Server

_OLDEST = 150000
_COMMITS = 3
_SLOW_SECONDS = 0.25
"""Every alert and every step of a run waits for a commit."""


async def check_database(systems: Systems) -> list[Finding]:
    """Who answers, and whether we can work with it."""
    try:
        database = await systems.database()
    except RemediatorError as reason:
        return [failed(reason.sentence, "start it, or put its address right: without it nothing works")]
    async with database.connection() as connection:
        there = await server.server(connection)
        findings = [_who(there), *_fit(there)]
        if not (there.standby or there.read_only):
            findings.append(await _commit(systems, connection))
        findings.append(await _schema(systems))
        refused = await server.tables_refused(connection)
    if refused:
        saw = f"the user {there.user} may not select, insert and update in {', '.join(refused)}"
        findings.append(failed(saw, "grant it, as under Install in docs/operating.md"))
    return findings


def _who(there: Server) -> Finding:
    return ok(f"PostgreSQL {there.version} at {there.address}, database {there.database}")


def _fit(there: Server) -> list[Finding]:
    findings = []
    if there.version_num < _OLDEST:
        findings.append(failed(f"version {there.version} is older than 15", "upgrade the server"))
    if there.standby:
        findings.append(failed("it is a standby, which takes no writes", "name the primary's address"))
    elif there.read_only:
        findings.append(
            failed("it refuses writes", "unset default_transaction_read_only for this user and database")
        )
    return findings


async def _commit(systems: Systems, connection: Connection) -> Finding:
    """The quickest of a few: a hiccup of the moment says nothing about the disk."""
    took = []
    for _ in range(_COMMITS):
        began = systems.clock.monotonic()
        await server.commit_nothing(connection)
        took.append(systems.clock.monotonic() - began)
    saw = f"a commit took {min(took) * 1000:.0f} ms"
    if min(took) > _SLOW_SECONDS:
        return warning(saw, "put it on a quicker disk, or nearer to the daemon")
    return ok(saw)


async def _schema(systems: Systems) -> Finding:
    try:
        missing = await migrate.pending(systems.settings.database_url)
    except Permanent as reason:
        return failed(reason.sentence, "the daemon does not start before that")
    if missing:
        return failed(f"it lacks {', '.join(missing)}", "run `remediator migrate`")
    return ok("every migration is applied")
