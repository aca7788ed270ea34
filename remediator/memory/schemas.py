"""Remembers at which version the schemas of applications were, so that a rollback can be held against it."""

import logging

from remediator.clients.schema_version import SchemaVersion
from remediator.errors import RemediatorError
from remediator.store import loop_leases, schema_heads
from remediator.store.database import Database

_log = logging.getLogger(__name__)

EVERY_SECONDS = 60.0


class Schemas:
    """One unit of its work is one question to every configured database; one replica at a time asks."""

    def __init__(self, database: Database, schemas: tuple[SchemaVersion, ...], owner: str) -> None:
        self._database = database
        self._schemas = schemas
        self._owner = owner

    async def tick(self) -> bool:
        """Ask once; never finds more to do at once."""
        if not self._schemas:
            return False
        async with self._database.connection() as connection:
            if not await loop_leases.hold(connection, "schemas", self._owner, EVERY_SECONDS * 3):
                return False
        for schema in self._schemas:
            try:
                head = await schema.head()
            except RemediatorError as reason:
                _log.warning("the schema's version is not remembered: %s", reason.sentence)
                continue
            async with self._database.transaction() as connection:
                await schema_heads.observe(connection, schema.name, head)
        return False
