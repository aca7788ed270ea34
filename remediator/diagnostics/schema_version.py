"""At which version the schema of an application is, and was while its earlier versions ran."""

from remediator.clients.postgres import Session
from remediator.clients.schema_version import schema_head
from remediator.domain.answers import Evidence
from remediator.domain.run_view import RunView
from remediator.domain.value import JsonObject
from remediator.kit import Kit
from remediator.step import DatabaseDiagnostic

_MOST = 5


class SchemaVersion(DatabaseDiagnostic):
    """What the migration tool says it has applied, beside what it said in the time of each version of the target."""

    async def look_into(self, session: Session, run: RunView, kit: Kit) -> Evidence:
        chosen = kit.databases.chosen(self.database, run.target)
        head = await schema_head(session, chosen.version_query)
        times: list[JsonObject] = []
        for each in reversed((await kit.history.tenures(run.target))[-_MOST:]):
            until = each.ended_at or each.last_seen_at
            times.append(
                {
                    "revision": each.revision,
                    "began_at": each.began_at.isoformat(),
                    "ended_at": None if each.ended_at is None else each.ended_at.isoformat(),
                    "schema": await kit.history.schema_heads(chosen.name, each.began_at, until),
                }
            )
        return Evidence(
            step=self.key(),
            summary=f"schema at {head}{_difference(head, times)}",
            details={"schema": head, "in_the_time_of": times},
        )


def _difference(head: str, times: list[JsonObject]) -> str:
    """Beside the version before the current one: what a rollback would go back to."""
    if len(times) < 2:
        return ""
    before = "in the time of the version before"
    seen = times[1]["schema"]
    if not seen:
        return f", not seen {before}"
    other = [each for each in seen if each != head]
    return f", was at {other[0]} {before}" if other else f", as {before}"
