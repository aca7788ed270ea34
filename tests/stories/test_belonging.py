"""A database belongs to one cluster. A copy of it, started elsewhere, changes nothing there and sends nothing."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from remediator.app import running
from remediator.cli.main import main
from remediator.daemon import loops
from remediator.domain.answers import Refusal
from remediator.domain.belonging import Binding
from remediator.sandbox.kubernetes import Fault
from remediator.sandbox.kubernetes.faults import AnswerStatus
from remediator.store import audit_verify, clusters
from remediator.supervise import Bell
from tests.support.clock import DrivenClock
from tests.support.story import ALERT, TOKEN, Story, told
from tests.support.waiting import until

ADOPT = ("adopt-database", "--why", "we restored the cluster from a backup")


@asynccontextmanager
async def elsewhere(tmp_path: Path, database_url: str, clock: DrivenClock) -> AsyncIterator[Story]:
    """The same database and rules in another cluster, which has workloads and alerts of the same names."""
    other = tmp_path / "elsewhere"
    other.mkdir()
    async with told(other, database_url, clock) as story:
        # Two emulators make the same uids.
        story.emulator.delete("namespaces", "", "kube-system")
        story.emulator.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system"}})
        yield story


async def acting_in_production(story: Story) -> None:
    """A bad release whose rollback has just been made, of which nobody was told yet, and which is still verified."""
    daemon = story.daemon
    await story.bad_release()
    story.alertmanager.fire({"alertname": "HighErrorRate", "namespace": "shop", "deployment": "api"})
    await story.alertmanager.deliver(f"{story.url}/api/v1/alertmanager", token="story-token")
    for tick in (daemon.reader.tick, daemon.planner.tick, daemon.worker.tick):
        while await tick():
            pass
    assert (await story.run()).state == "ACTED"


async def test_a_copy_of_the_database_neither_acts_nor_sends_until_a_person_adopts_it(
    tmp_path: Path, database_url: str, clock: DrivenClock, capsys: pytest.CaptureFixture[str]
) -> None:
    async with told(tmp_path, database_url, clock) as production:
        await acting_in_production(production)
    async with elsewhere(tmp_path, database_url, clock) as copy:
        await copy.bad_release()
        assert await copy.daemon.belonging.foreign() is not None
        copy.alertmanager.fire(ALERT)
        answers = await copy.alertmanager.deliver(f"{copy.url}/api/v1/alertmanager", token=TOKEN)
        assert {each.status for each in answers} == {503}, "neither cluster may take them for its own"
        await copy.let(60)
        assert copy.effects() == []
        assert [each.resource for each in copy.emulator.effects if each.user == "remediator"] == []
        assert (await copy.run()).state == "ACTED"
        answer = await copy.daemon.belonging.against()
        assert answer is not None
        assert "remediator adopt-database" in answer
        await copy.daemon.gauges.tick()
        assert b"remediator_database_of_this_cluster 0.0" in copy.daemon.metrics.exposition()

        said, code = await adopting(copy, tmp_path, capsys)
        assert code == 1
        assert "run 1 (bad-release, act) is ACTED and holds deployment/shop/api" in said
        assert "notices were not delivered and never would be" in said
        assert (await copy.run()).state == "ACTED"
        said, code = await adopting(copy, tmp_path, capsys, "--yes")
        assert code == 0, said
        await clock.advance(60)
        await copy.settle()
        run = await copy.run()
        assert run.state == "ESCALATED"
        assert str(run.why).endswith(
            "gave this database to another cluster: we restored the cluster from a backup"
        )
        assert await copy.daemon.belonging.against() is None
        assert copy.emulator.list("events", "shop") == [
            each
            for each in copy.emulator.list("events", "shop")
            if not each["reason"].startswith("Remediator")
        ]
        async with copy.daemon.database.transaction() as connection:
            assert (await audit_verify.verify(connection, {})).breaks == ()
            assert await connection.fetchval("select count(*) from tenures where cluster = 'default'") == 0
        await copy.deliver()
        async with copy.daemon.database.connection() as connection:
            still_fires = (
                "select count(*) from episodes where closed_at is null and alertname = 'HighErrorRate'"
            )
            assert await connection.fetchval(still_fires) == 1


async def test_two_people_who_adopt_at_once_adopt_once(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock) as production:
        await production.settle()
        async with production.daemon.database.transaction() as connection:
            shown = await clusters.bound(connection)
            assert shown is not None
            made = await clusters.adopt(connection, shown, "here", "new", "kim", "password=hunter2hunter2")
            assert isinstance(made, Binding)
            assert "hunter2" not in made.why
        async with production.daemon.database.transaction() as connection:
            again = await clusters.adopt(connection, shown, "here", "new", "lee", "the same")
        assert isinstance(again, Refusal)


async def test_while_it_cannot_be_told_alerts_are_taken_in_and_nothing_is_concluded(
    story: Story,
) -> None:
    story.emulator.faults.add(Fault("GET", "/namespaces/kube-system$", AnswerStatus(403), times=None))
    ticks = {each.name: each.tick for each in loops(story.daemon, Bell())}
    story.alertmanager.fire(ALERT)
    await story.alertmanager.deliver(f"{story.url}/api/v1/alertmanager", token=TOKEN)
    assert await ticks["reader"]()
    for name in ("planner-0", "reconciler", "aftermath", "memory", "retention", "breakers"):
        assert not await ticks[name](), name
    async with story.daemon.database.connection() as connection:
        untouched = "alertname = 'HighErrorRate' and disposition is null and closed_at is null"
        assert await connection.fetchval(f"select count(*) from episodes where {untouched}") == 1
    story.emulator.faults.clear()
    await story.clock.advance(10)
    assert await ticks["planner-0"]()


async def adopting(
    story: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str], *more: str
) -> tuple[str, int]:
    """What the command says, and its exit status."""
    config = tmp_path / "adopt.yml"
    settings: dict[str, Any] = story.daemon.settings.model_dump(
        mode="json", include={"database_url", "kubernetes"}
    )
    config.write_text(json.dumps(settings))
    code = await asyncio.to_thread(main, [*ADOPT, "--config.file", str(config), *more])
    return capsys.readouterr().out, code


async def test_it_is_bound_by_the_first_start_and_adopting_changes_nothing_then(
    story: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with story.daemon.database.connection() as connection:
        assert await clusters.bound(connection) is None
    await story.settle()
    namespace = story.emulator.get("namespaces", "", "kube-system")
    async with story.daemon.database.connection() as connection:
        bound = await clusters.bound(connection)
    assert namespace is not None
    assert bound is not None
    assert bound.uid == namespace["metadata"]["uid"]
    said, code = await adopting(story, tmp_path, capsys)
    assert (code, said) == (
        0,
        f"this database belongs to this cluster ({bound.uid}): there is nothing to adopt\n",
    )


async def test_nothing_moves_while_it_cannot_be_told_which_cluster_this_is(story: Story) -> None:
    story.emulator.faults.add(Fault("GET", "/namespaces/kube-system$", AnswerStatus(403), times=None))
    await story.bad_release()
    await story.fire()
    assert (await story.run()).state == "PLANNED"
    assert "cannot be told whose database" in str(await story.daemon.belonging.against())
    story.emulator.faults.clear()
    await story.let(60)
    assert story.image() == "app:v1"


async def test_loops_do_nothing_with_another_clusters_database(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock) as production:
        await production.deliver()
    async with elsewhere(tmp_path, database_url, clock) as copy, running(copy.daemon) as url:
        async with copy.daemon.database.connection() as connection:
            await connection.execute("update notices set read_at = null")

        async def looked() -> bool:
            return b'loop="planner-0"' in copy.daemon.metrics.exposition()

        await until(looked, "planning had its turn")
        copy.alertmanager.fire(ALERT)
        answers = await copy.alertmanager.deliver(f"{url}/api/v1/alertmanager", token=TOKEN)
        assert {each.status for each in answers} == {503}
        async with aiohttp.ClientSession() as session, session.get(f"{url}/-/ready") as ready:
            assert ready.status == 503
        async with copy.daemon.database.connection() as connection:
            assert await connection.fetchval("select count(*) from notices where read_at is not null") == 0
            assert await connection.fetchval("select count(*) from notices") == 1
