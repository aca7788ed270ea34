"""A standby is looked at as well as its primary."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from remediator.sandbox.postgres import PostgresServer
from tests.bench.databases import LOOKS
from tests.diagnostics.postgres.conftest import VERSIONS
from tests.support.busy_postgres import busy_server, dsn_of
from tests.support.looks import look, orders


@pytest.fixture(params=VERSIONS)
def standby(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    """One that waits for a primary that is gone."""
    with busy_server(request.param) as running:
        running.stop()
        (running.data_dir / "standby.signal").touch()
        running.start()
        yield running


async def test_every_look_is_made_at_a_standby(standby: PostgresServer, tmp_path: Path) -> None:
    database = orders(tmp_path, dsn_of(standby, "looker"))
    seen = [await look(each, [database]) for each in LOOKS]
    assert [each.summary for each in seen if each.failed] == []
    assert [each.details["unseen"] for each in seen if each.details["unseen"]] == []
    assert ", standby, up for " in seen[0].summary
    assert seen[0].details["standby"] is True
