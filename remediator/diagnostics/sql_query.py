"""What an operator's own query says: failed logins, the audit log."""

import json
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

from pydantic import Field

from remediator.clients.postgres import Session
from remediator.domain.answers import Evidence
from remediator.domain.run_view import RunView
from remediator.domain.substitution import NothingToSubstitute, bound
from remediator.errors import Permanent
from remediator.kit import Kit
from remediator.redaction.text import REDACTED
from remediator.settings.databases import NamedQuery, QueryParameter
from remediator.step import DatabaseDiagnostic

_LONGEST_ROW = 8 * 1024
_MOST_BYTES = 64 * 1024
AS_JSON = f"""select case when length(line) <= {_LONGEST_ROW} then line end as line
              from (select to_json(found)::text as line from (
                %s
              ) as found) as lines"""
"""Around the query: only a SELECT can stand there, whose rows come as JSON of bounded length."""


class SqlQuery(DatabaseDiagnostic):
    """`sql_query: {database: orders, query: failed_logins}`: a query that remediator.yml names.

    Its text and what is bound to it stand there; a rule can only choose it.
    """

    bare: ClassVar[str | None] = "query"

    query: str
    """Its name under `queries` of the database."""
    most: int = Field(default=50, strict=True, ge=1, le=500)
    """So many rows are shown."""

    async def look_into(self, session: Session, run: RunView, kit: Kit) -> Evidence:
        chosen = kit.databases.chosen(self.database, run.target)
        named = next((each for each in chosen.queries if each.name == self.query), None)
        if named is None:
            raise Permanent(f"database {chosen.name} has no query {self.query} in remediator.yml")
        try:
            arguments = [_bound(each, run) for each in named.parameters]
        except NothingToSubstitute as reason:
            return Evidence(step=self.key(), summary=f"{self.query} was not asked: {reason}", failed=True)
        return await answered(session, named, arguments, self.most)


async def answered(
    session: Session, named: NamedQuery, arguments: Sequence[str | int | Decimal], most: int
) -> Evidence:
    """The first rows that an operator's query answers, without what it masks. Raises as the session does."""
    lines = await session.rows(as_json(named), *arguments, most=most + 1)
    _every_mask_is_on(lines, named)
    rows, size = [], 0
    for each in lines[:most]:
        size += len(each["line"] or "")
        if size > _MOST_BYTES:
            break
        rows.append(_shown(each["line"], named))
    cut = " or more" if len(lines) > most else ""
    return Evidence(
        step=SqlQuery.key(),
        summary=f"{named.name}: {len(lines[:most])}{cut} rows",
        details={
            "query": named.name,
            "bound": [str(each) for each in arguments],
            "rows": rows,
            "left_out": len(lines) - len(rows),
        },
    )


def as_json(named: NamedQuery) -> str:
    """The text that is sent for a query: what an operator wrote, within what makes JSON of its rows."""
    return AS_JSON % named.sql.strip().rstrip(";")


def _bound(parameter: QueryParameter, run: RunView) -> str | int | Decimal:
    """The value for one parameter. Raises NothingToSubstitute when there is none of its type."""
    value = bound(parameter.value, run)
    try:
        match parameter.type:
            case "integer":
                return int(value)
            case "number":
                return Decimal(value)
            case "text":
                return value
    except (ValueError, InvalidOperation):
        raise NothingToSubstitute(
            f"{parameter.value} is {value!r} for this alert, no {parameter.type}"
        ) from None


def _every_mask_is_on(lines: list[dict[str, Any]], named: NamedQuery) -> None:
    """Raises Permanent where `masked` names what is no column: PostgreSQL makes `userId` into `userid`, and a name that
    nobody meant to be shown would be.
    """
    columns = next((set(json.loads(each["line"])) for each in lines if each["line"] is not None), None)
    missing = sorted(set(named.masked) - columns) if columns is not None else []
    if missing:
        raise Permanent(
            f"query {named.name} has no column {missing[0]}, which masked names in remediator.yml (its columns: "
            f"{', '.join(sorted(columns or ()))}): nothing of it is shown"
        )


def _shown(line: str | None, named: NamedQuery) -> dict[str, Any]:
    if line is None:
        return {"left_out": f"a row of more than {_LONGEST_ROW} characters"}
    return {key: REDACTED if key in named.masked else value for key, value in json.loads(line).items()}
