"""The version of a schema beside what it was in the time of the target's versions."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from remediator.diagnostics.schema_version import SchemaVersion
from remediator.domain.history import Tenure
from remediator.domain.target import Target
from remediator.sandbox.postgres import PostgresServer
from remediator.settings.databases import ApplicationDatabase
from tests.support.busy_postgres import dsn_of
from tests.support.looks import look, orders

BEGAN = datetime(2026, 11, 1, tzinfo=UTC)
RELEASED = BEGAN + timedelta(days=3)


class Remembered:
    """Two versions, and what the schema was in the time of the first."""

    def __init__(self, heads: list[str]) -> None:
        self._heads = heads

    async def tenures(self, target: Target) -> list[Tenure]:
        first = Tenure(
            uid="u",
            revision="v1",
            template={},
            began_at=BEGAN,
            began_seen=True,
            ended_at=RELEASED,
            last_seen_at=RELEASED,
        )
        return [first, first.model_copy(update={"revision": "v2", "began_at": RELEASED, "ended_at": None})]

    async def schema_heads(self, name: str, since: datetime, until: datetime) -> list[str]:
        assert name == "orders"
        return self._heads if since == BEGAN else []


@pytest.mark.parametrize(
    ("heads", "said"),
    [
        (["alembic_version b2"], ", as in the time of the version before"),
        (["alembic_version a1"], ", was at alembic_version a1 in the time of the version before"),
        (
            ["alembic_version a1", "alembic_version b2"],
            ", was at alembic_version a1 in the time of the version before",
        ),
        ([], ", not seen in the time of the version before"),
    ],
)
async def test_it_is_held_against_the_version_before(
    looker: ApplicationDatabase, heads: list[str], said: str
) -> None:
    seen = await look(SchemaVersion(), [looker], history=Remembered(heads))
    assert seen.summary == f"orders: schema at alembic_version b2{said}"
    assert [each["revision"] for each in seen.details["in_the_time_of"]] == ["v2", "v1"]


async def test_a_version_query_is_asked_instead_of_known_tables(
    server: PostgresServer, tmp_path: Path
) -> None:
    own = orders(tmp_path, dsn_of(server, "looker"), version_query="select count(*) from logins")
    seen = await look(SchemaVersion(), [own], history=Remembered([]))
    assert seen.details["schema"] == "30"
