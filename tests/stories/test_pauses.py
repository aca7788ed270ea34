"""People make the daemon stand still; it says who and why, and goes on only when a person says so."""

from pathlib import Path

import pytest

from remediator.app import assembled
from remediator.errors import RemediatorError, Retryable
from remediator.sandbox.kubernetes import Fault
from remediator.sandbox.kubernetes.faults import AnswerStatus
from remediator.store import migrate
from tests.support.clock import DrivenClock
from tests.support.standing_still import (
    annotate,
    ask,
    freeze,
    listed,
    pause,
    resume,
    the_pause,
)
from tests.support.story import ROLLBACK, Story, told
from tests.support.waiting import until

SCOPES = [
    ("everything", ""),
    ("namespace", "shop"),
    ("rule", "bad-release"),
    ("target", "deployment/shop/api"),
]


async def held(story: Story, state: str, *sentences: str) -> None:
    run = await story.run()
    assert run.state == state, run.why
    for sentence in sentences:
        assert sentence in (run.why or "")
    assert story.effects() == []


@pytest.mark.parametrize(("scope", "value"), SCOPES)
async def test_a_pause_holds_what_it_covers_and_says_who_and_why_and_a_resume_lets_it_go_on_at_once(
    story: Story, scope: str, value: str
) -> None:
    await story.bad_release()
    name = await pause(story, scope, value)
    await story.fire()
    await held(
        story,
        "PLANNED",
        "pause: a pause covers this target: kim paused",
        f"until {name} is resumed",
        "migration",
    )
    await story.let(60)
    assert (await resume(story, name))[0] == 200
    await story.settle()
    assert story.effects() == ["app:v1"]
    async with story.daemon.database.connection() as connection:
        lines = await connection.fetch("select text from journal where kind = 'pause' order by id")
    assert [line["text"].partition(" ")[0] for line in lines] == [f"{name}:", "kim"]
    assert lines[1]["text"].endswith(": done")


@pytest.mark.parametrize(
    ("scope", "value"), [("namespace", "shop2"), ("rule", "other"), ("target", "deployment/shop/api2")]
)
async def test_a_pause_of_something_else_holds_nothing(
    tmp_path: Path, database_url: str, clock: DrivenClock, scope: str, value: str
) -> None:
    other = (
        ROLLBACK.removeprefix("\nrules:").replace("bad-release", "other").replace("HighErrorRate", "Other")
    )
    async with told(tmp_path, database_url, clock, ROLLBACK + other) as story:
        await story.bad_release()
        await pause(story, scope, value)
        await story.fire()
        assert story.effects() == ["app:v1"]


async def test_a_pause_for_two_minutes_ends_by_itself(story: Story) -> None:
    await story.bad_release()
    await pause(story, "everything", **{"for": "2m"})
    await story.fire()
    await story.let(90)
    await held(story, "PLANNED", "kim paused everything until 2026-01-05 12:41 UTC, because migration")
    await story.let(60)
    assert story.effects() == ["app:v1"]
    assert await listed(story) == []


async def test_a_pause_is_asked_before_anything_is_looked_at(story: Story) -> None:
    await story.bad_release()
    await pause(story, "everything")
    await story.fire()
    assert "evidence" not in {line.kind for line in await story.journal()}


# ------------------------------------------------------------------------------------------------ freezes


async def test_a_freeze_that_is_to_come_holds_nothing_yet(story: Story) -> None:
    await story.bad_release()
    await freeze(story, "everything", "", "2026-01-05T14:00Z", "2026-01-05T15:00Z")
    (found,) = await listed(story)
    assert (found["kind"], found["in_force"], found["source"]) == ("freeze", False, "request")
    await story.fire()
    assert story.effects() == ["app:v1"]


@pytest.mark.parametrize(("scope", "value"), SCOPES)
async def test_a_freeze_holds_from_its_beginning_to_its_end(story: Story, scope: str, value: str) -> None:
    await story.bad_release()
    await freeze(story, scope, value, "2026-01-05T13:40+01:00", "2026-01-05T12:50Z", name="release-week")
    await story.let(90)
    await story.fire()
    await held(
        story,
        "PLANNED",
        "freeze: a freeze covers this target: kim froze",
        "until 2026-01-05 12:50 UTC",
        "release week",
    )
    await story.let(10 * 60)
    assert story.effects() == ["app:v1"]


async def test_a_freeze_can_be_ended_early_by_its_name(story: Story) -> None:
    await story.bad_release()
    await freeze(story, "namespace", "shop", "2026-01-05T12:00Z", "2026-01-06T12:00Z", name="release-week")
    await story.fire()
    await held(story, "PLANNED", "kim froze namespace shop")
    assert (await resume(story, "release-week"))[0] == 200
    await story.settle()
    assert story.effects() == ["app:v1"]


# --------------------------------------------------------------------------------- annotations and the file

ANNOTATED = [("namespaces", "shop", "namespace shop"), ("deployments", "api", "deployment/shop/api")]


@pytest.mark.parametrize(("kind", "name", "covered"), ANNOTATED)
async def test_an_annotation_holds_also_after_it_is_gone_until_a_person_says_so(
    story: Story, kind: str, name: str, covered: str
) -> None:
    await story.bad_release()
    annotate(story, kind, name, "migration")
    await story.fire()
    await held(story, "PLANNED", f"kubectl-annotate paused {covered} by annotation, because migration")

    status, refusal = await resume(story, await the_pause(story))
    assert status == 409
    assert f"annotate {'namespace' if kind == 'namespaces' else 'deployment'}" in refusal["error"]
    assert "remediator.io/paused-" in refusal["error"]
    annotate(story, kind, name, None)
    await story.let(5 * 60)
    await held(story, "PLANNED", f"kubectl-annotate paused {covered} by annotation until pause-1 is resumed")

    assert (await resume(story, "pause-1"))[0] == 200
    await story.settle()
    assert story.effects() == ["app:v1"]


@pytest.mark.parametrize(("kind", "name", "covered"), ANNOTATED)
async def test_an_annotation_is_seen_within_a_second_although_no_run_asks(
    story: Story, kind: str, name: str, covered: str
) -> None:
    await story.create("app:v1")
    annotate(story, kind, name, "")

    async def latched() -> bool:
        await story.daemon.switches.tick()
        return bool(await listed(story))

    await until(latched, "the annotation is a pause of the database", seconds=10, every=0.01)
    (found,) = await listed(story)
    assert (found["source"], found["why"], found["who"]) == (
        "annotation",
        "no reason given",
        "kubectl-annotate",
    )
    await story.daemon.switches.tick()
    assert len(await listed(story)) == 1


async def test_a_namespace_that_cannot_be_read_hides_no_pause_of_another(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, namespaces=["shop", "locked"]) as story:
        annotate(story, "namespaces", "shop", "migration")
        story.emulator.faults.add(Fault("GET", "/namespaces/locked$", AnswerStatus(403), times=None))
        with pytest.raises(RemediatorError):
            await story.daemon.switches.tick()
        assert [each["why"] for each in await listed(story)] == ["migration"]


async def test_while_the_api_server_cannot_be_read_an_annotation_does_not_end_and_nothing_acts(
    story: Story,
) -> None:
    await story.bad_release()
    annotate(story, "namespaces", "shop", "migration")
    await story.daemon.switches.tick()
    annotate(story, "namespaces", "shop", None)
    busy = story.emulator.faults.add(
        Fault("GET", "/namespaces/shop$", AnswerStatus(503, "ServiceUnavailable"), times=None)
    )
    assert (await resume(story, await the_pause(story)))[0] == 503
    await story.fire()
    await held(story, "PLANNED", "pause: pause: Kubernetes answered 503")
    story.emulator.faults.remove(busy)
    assert (await resume(story, await the_pause(story)))[0] == 200
    await story.let(60)
    assert story.effects() == ["app:v1"]


async def test_a_file_stops_everything_until_it_is_gone_and_a_person_says_so(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    file = tmp_path / "stop"
    async with told(tmp_path, database_url, clock, ROLLBACK, {"pause_file": file}) as story:
        await story.bad_release()
        file.write_text("the datacentre is on fire\nsecond line\n")
        await story.fire()
        await held(story, "PLANNED", "paused everything by file, because the datacentre is on fire")
        status, refusal = await resume(story, "pause-1")
        assert (status, f"{file} is still there" in refusal["error"]) == (409, True)
        file.unlink()
        # Another replica's file is known only from when that replica last saw it.
        assert (await resume(story, "pause-1"))[0] == 409
        await story.let(35)
        await held(story, "PLANNED", "paused everything by file until pause-1 is resumed")
        assert (await resume(story, "pause-1"))[0] == 200
        await story.settle()
        assert story.effects() == ["app:v1"]


async def test_a_file_of_which_nobody_knows_whether_it_is_there_stops_everything(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    directory = tmp_path / "volume"
    async with told(tmp_path, database_url, clock, ROLLBACK, {"pause_file": directory / "stop"}) as story:
        with pytest.raises(Retryable, match="cannot be known"):
            await story.daemon.switches.tick()
        directory.mkdir()
        await story.bad_release()
        directory.rmdir()
        await story.fire()
        await held(story, "PLANNED", "stop is there cannot be known")
        status, answer = await ask(story, "GET", "/-/ready/act")
        assert (status, "cannot be known" in answer["error"]) == (503, True)
        directory.mkdir()
        await story.let(60)
        assert story.effects() == ["app:v1"]


# ---------------------------------------------------------------------------------- what does not end a pause


async def test_a_restart_a_reload_a_migration_and_another_replica_do_not_end_a_pause(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock) as story:
        await story.bad_release()
        annotate(story, "namespaces", "shop", "migration")
        await story.daemon.switches.tick()
        annotate(story, "namespaces", "shop", None)
        await pause(story, "everything", name="by-hand")
        before = await listed(story)
        assert len(before) == 2
        await story.daemon.rules.reload()
        assert await migrate.migrate(database_url) == []
        await story.fire()
        async with assembled(story.daemon.settings, clock) as another:
            await another.rules.reload()
            await another.switches.tick()
            await clock.advance(60)
            while await another.worker.tick():
                pass
        assert await listed(story) == before
        await held(story, "PLANNED", "kim paused everything", "by annotation")


async def test_while_everything_is_paused_the_daemon_is_not_ready_to_act_and_a_metric_says_so(
    story: Story,
) -> None:
    await pause(story, "namespace", "shop")
    assert (await ask(story, "GET", "/-/ready/act"))[0] == 200
    name = await pause(story, "everything", why="the database moves")
    status, answer = await ask(story, "GET", "/-/ready/act")
    assert status == 503
    assert answer["error"] == f"kim paused everything until {name} is resumed, because the database moves"
    await story.daemon.gauges.tick()

    def shown(scope: str) -> float | None:
        labels = {"kind": "pause", "scope": scope, "source": "request"}
        return story.daemon.metrics.registry.get_sample_value("remediator_pauses", labels)

    assert (shown("everything"), shown("namespace")) == (1, 1)
    await resume(story, name)
    await story.daemon.gauges.tick()
    assert shown("everything") is None
