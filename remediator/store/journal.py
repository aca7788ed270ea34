"""The journal: what was seen, decided and done, in order."""

import asyncio
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from remediator.domain.value import JsonObject, Value
from remediator.redaction.document import redact_json
from remediator.redaction.text import redact
from remediator.run import Entry, Run
from remediator.store.database import Connection

_LARGE = 32 * 1024
"""Characters; what is larger is cleaned in a thread, so that the loop goes on."""


class Line(Value):
    """One line as read back."""

    id: int
    at: datetime
    kind: str
    text: str
    details: JsonObject
    run_id: int | None = None
    episode_id: int | None = None


async def append(
    connection: Connection,
    kind: str,
    text: str,
    details: dict[str, Any] | None = None,
    *,
    incident_id: int | None = None,
    run_id: int | None = None,
    episode_id: int | None = None,
) -> None:
    """Add one line."""
    await connection.execute(
        """insert into journal (kind, text, details, incident_id, run_id, episode_id)
           values ($1, $2, $3, $4, $5, $6)""",
        kind,
        kept_text(text),
        await _kept_details(details or {}),
        incident_id,
        run_id,
        episode_id,
    )


async def append_entries(connection: Connection, run: Run, entries: Iterable[Entry]) -> None:
    """Add lines about a run, in their order."""
    for each in entries:
        await append(
            connection, each.kind, each.text, each.details, incident_id=run.incident_id, run_id=run.id
        )


async def of_incident(connection: Connection, incident_id: int) -> Sequence[Line]:
    """All lines of an incident with its runs and episodes, oldest first."""
    rows = await connection.fetch(
        """select j.id, j.at, j.kind, j.text, j.details, j.run_id, j.episode_id from journal j
           where j.incident_id = $1
              or j.run_id in (select id from runs where incident_id = $1)
              or j.episode_id in (select id from episodes where incident_id = $1)
           order by j.id""",
        incident_id,
    )
    return [Line(**row) for row in rows]


async def of_kind(connection: Connection, kind: str) -> Sequence[Line]:
    """All lines of one kind, whatever they are about, oldest first."""
    rows = await connection.fetch(
        "select id, at, kind, text, details, run_id, episode_id from journal where kind = $1 order by id",
        kind,
    )
    return [Line(**row) for row in rows]


async def of_run(connection: Connection, run_id: int) -> Sequence[Line]:
    """All lines of a run, oldest first."""
    rows = await connection.fetch(
        "select id, at, kind, text, details, run_id, episode_id from journal where run_id = $1 order by id",
        run_id,
    )
    return [Line(**row) for row in rows]


def kept_text(text: str) -> str:
    """A text as it may be stored and shown: without secrets."""
    return redact(storable(text))


def kept_json(value: Any) -> Any:
    """The same of a JSON value."""
    return redact_json(storable_json(value))


async def _kept_details(details: dict[str, Any]) -> Any:
    if len(json.dumps(details, default=str)) > _LARGE:
        return await asyncio.to_thread(kept_json, details)
    return kept_json(details)


def storable(text: str) -> str:
    """PostgreSQL's text holds neither NUL nor lone surrogates; both are shown as the replacement character."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def storable_json(value: Any) -> Any:
    """The same of every text in a JSON value."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(str(key)): storable_json(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [storable_json(each) for each in value]
    return value
