"""Who may do what in the database: the owner of the tables says so after each migration."""

from importlib.resources import files

import asyncpg

from remediator.store.database import server_settings

EXECUTOR = "remediator"
INTAKE = "remediator_intake"
"""The users that do not own the tables, by the names that grants.sql knows."""


async def grant(dsn: str) -> list[str]:
    """Give each of these users that is there what this version needs, and return their names.

    Call as the owner of the tables, when the schema is up to date. Raises asyncpg's errors as they come.
    """
    statement = files("remediator.store").joinpath("grants.sql").read_text(encoding="utf-8")
    connection = await asyncpg.connect(dsn, timeout=10, command_timeout=30, server_settings=server_settings())
    try:
        await connection.execute(statement)
        rows = await connection.fetch(
            "select rolname from pg_roles where rolname = any ($1::text[]) and rolname <> current_user order by 1",
            [EXECUTOR, INTAKE],
        )
        return [row["rolname"] for row in rows]
    finally:
        await connection.close()
