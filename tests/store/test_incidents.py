"""An incident is as urgent as the most urgent of its alerts, and every notice about it says so."""

from datetime import UTC, datetime

import pytest

from remediator.domain.notice import Notice
from remediator.domain.severity import Severity
from remediator.domain.target import Target
from remediator.store import incidents, outbox
from remediator.store.database import Connection, Database

TARGET = Target(cluster="default", kind="deployment", namespace="shop", name="api")


async def attach(connection: Connection, severity: Severity | None) -> int:
    attached, _ = await incidents.attach(
        connection, subject="s", title="t", cluster="default", target=TARGET, severity=severity
    )
    return attached


async def told(connection: Connection, incident_id: int | None, severity: str = "") -> str:
    """What a notice says that is put out about an incident."""
    at = datetime(2026, 11, 27, tzinfo=UTC)
    notice = Notice(
        key=f"about/{incident_id}", at=at, title="t", text="x", severity=severity, incident_id=incident_id
    )
    await outbox.enqueue(connection, ("webhook",), notice, None)
    parcel = await outbox.take_due(connection, 60)
    assert isinstance(parcel, outbox.Parcel)
    return parcel.notice.severity


@pytest.mark.parametrize(
    ("alerts", "severity"),
    [
        (("P2",), "P2"),
        (("P2", "P0", "P1"), "P0"),
        (("P1", "P3"), "P1"),
        ((None,), ""),
        ((None, "P3"), "P3"),
        (("P1", None), "P1"),
    ],
)
async def test_the_most_urgent_alert_decides(
    database: Database, alerts: tuple[Severity | None, ...], severity: str
) -> None:
    async with database.transaction() as connection:
        ids = {await attach(connection, each) for each in alerts}
        (found,) = await incidents.recent(connection)
        assert (ids, found.severity) == ({found.id}, severity)
        assert await told(connection, found.id) == severity


async def test_a_notice_about_no_incident_keeps_its_own(database: Database) -> None:
    async with database.transaction() as connection:
        assert await told(connection, None, "P0") == "P0"
