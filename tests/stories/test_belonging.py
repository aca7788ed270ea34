"""A database belongs to one cluster. A copy of it, started elsewhere, changes nothing there and sends nothing."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from remediator.app import running
from remediator.cli.main import main
from remediator.sandbox.kubernetes import Fault
from remediator.sandbox.kubernetes.faults import AnswerStatus
from remediator.store import audit_verify, clusters
from tests.support.clock import DrivenClock
from tests.support.story import Story, told
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
        await copy.fire()
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
        await production.settle()
    async with elsewhere(tmp_path, database_url, clock) as copy, running(copy.daemon) as url:
        copy.alertmanager.fire({"alertname": "HighErrorRate", "namespace": "shop", "deployment": "api"})
        answers = await copy.alertmanager.deliver(f"{url}/api/v1/alertmanager", token="story-token")
        assert {each.status for each in answers} == {200}

        async def looked() -> bool:
            return b'loop="planner-0"' in copy.daemon.metrics.exposition()

        await until(looked, "planning had its turn")
        async with copy.daemon.database.connection() as connection:
            assert await connection.fetchval("select count(*) from notices where read_at is null") == 2
            assert await connection.fetchval("select count(*) from episodes") == 0
