"""`remediator target check`, asked by a pipeline after a real rollback of a real run."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from remediator.cli.main import main
from tests.support.clock import DrivenClock
from tests.support.story import ROLLBACK, told
from tests.support.terminal import Terminal

DIGEST = "@sha256:" + "2" * 64
CHECK = ("target", "check", "deployment/shop/api", "--image")


@pytest.fixture
async def terminal(
    tmp_path: Path, database_url: str, clock: DrivenClock, capsys: pytest.CaptureFixture[str]
) -> AsyncIterator[Terminal]:
    """A pipeline that may look, and a daemon that has seen v1 soak and rolled v2 back."""
    pipeline = tmp_path / "pipeline"
    pipeline.write_text("pipelines-token")
    people = [{"name": "pipeline", "token_file": pipeline}]
    rules = ROLLBACK.replace("[rollback]", "[{rollback: {soak: 20m}}]")
    async with told(tmp_path, database_url, clock, rules, {"people": people}) as story:
        await story.bad_release()
        terminal = Terminal(story, pipeline, capsys)
        assert (await terminal.type(*CHECK, "app:v2"))[0] == 0
        await story.fire()
        await story.let(60)
        await story.resolve()
        await story.let(2 * 60)
        assert story.image() == "app:v1"
        yield terminal


async def asked(terminal: Terminal, image: str) -> tuple[int, dict[str, Any]]:
    status, out, _ = await terminal.type(*CHECK, image, "--output", "json")
    return status, json.loads(out)


async def test_an_image_that_was_rolled_back_from_is_status_1_with_the_run_that_did_it(
    terminal: Terminal,
) -> None:
    status, out, error = await terminal.type(*CHECK, "app:v2")
    assert (status, error) == (1, "")
    sentence, names, row = out.splitlines()
    assert sentence == (
        "app:v2 was rolled back from on deployment/shop/api: run 1 of rule bad-release went at 2026-01-05 12:39 UTC "
        "from revision 2 (app:v2) back to revision 1 (app:v1). "
        "Only the tag was compared: what it points to may have changed since"
    )
    assert names.split()[0] == "AT"
    assert row.split()[-6:] == ["revision", "2", "(app:v2)", "revision", "1", "(app:v1)"]
    assert "RESOLVED" in row


async def test_programs_get_when_which_run_and_to_what(terminal: Terminal) -> None:
    status, answer = await asked(terminal, "app:v2" + DIGEST)
    assert status == 1
    assert (answer["target"], answer["compared_by"]) == ("deployment/shop/api", "tag")
    (rollback,) = answer["rollbacks"]
    assert rollback | {"at": "", "from_revision": "", "to_revision": ""} == {
        "at": "",
        "run": 1,
        "run_state": "RESOLVED",
        "rule": "bad-release",
        "outcome": "applied",
        "from": "revision 2 (app:v2)",
        "from_revision": "",
        "to": "revision 1 (app:v1)",
        "to_revision": "",
        "compared_by": "tag",
    }
    assert answer["accepted_again"] is None


async def test_only_a_rollback_that_may_have_happened_counts(terminal: Terminal) -> None:
    for outcome, status in (("not_applied", 0), ("superseded", 0), ("unknown", 1), ("converged", 1)):
        async with terminal.story.daemon.database.connection() as connection:
            await connection.execute("update attempts set outcome = $1", outcome)
        assert (await asked(terminal, "app:v2"))[0] == status, outcome
    async with terminal.story.daemon.database.connection() as connection:
        await connection.execute("update attempts set outcome = 'applied', action = 'restart'")
    assert (await asked(terminal, "app:v2"))[0] == 0


@pytest.mark.parametrize("image", ["app:v1", "app:v3", "other:v2"])
async def test_every_other_image_is_status_0(terminal: Terminal, image: str) -> None:
    status, out, _ = await terminal.type(*CHECK, image)
    assert status == 0
    assert out == (
        f"{image} is not rolled back from on deployment/shop/api: none of the 1 newest rollbacks of this "
        "workload left this image for another\n"
    )


async def test_a_workload_nobody_has_seen_is_status_0_and_says_that(terminal: Terminal) -> None:
    status, out, _ = await terminal.type(
        "target", "check", "statefulset/shop/database", "--image", "postgres:17"
    )
    assert status == 0
    assert "has never seen this workload" in out


async def test_deployed_again_it_counts_as_accepted_only_after_the_soak_of_the_rule(
    terminal: Terminal,
) -> None:
    terminal.story.release("app:v2")
    await terminal.story.let(15 * 60)
    status, answer = await asked(terminal, "app:v2")
    assert status == 1
    assert "it was deployed again at 2026-01-05 12:4" in answer["why"]
    assert "counts as accepted after 20m" in answer["why"]
    await terminal.story.let(6 * 60)
    status, answer = await asked(terminal, "app:v2")
    assert status == 0
    assert answer["why"].startswith("it was rolled back from in run 1, and accepted again")
    assert answer["accepted_again"]["available_seconds"] >= 20 * 60
    assert len(answer["rollbacks"]) == 1


async def test_put_back_by_a_sync_it_is_not_accepted_while_its_alert_fires_on_nor_once_undone(
    terminal: Terminal,
) -> None:
    await terminal.story.fire()
    terminal.story.release("app:v2")
    await terminal.story.let(35 * 60, step=30)
    assert terminal.story.image() == "app:v2"
    status, answer = await asked(terminal, "app:v2")
    assert status == 1
    assert "HighErrorRate was open in its time" in answer["why"]
    await terminal.story.resolve()
    terminal.story.release("app:v1")
    await terminal.story.let(60)
    status, answer = await asked(terminal, "app:v2")
    assert status == 1
    assert "an older version was taken up after it" in answer["why"]


async def test_that_cannot_be_known_is_status_3(terminal: Terminal) -> None:
    terminal.capture.readouterr()
    status = await asyncio.to_thread(main, [*CHECK, "app:v2", "--url", "http://127.0.0.1:1"])
    assert status == 3
    assert "it cannot be known: the daemon at http://127.0.0.1:1" in terminal.capture.readouterr().err
    unknown_token = terminal.token_file.parent / "token"
    status, out, error = await Terminal(terminal.story, unknown_token, terminal.capture).type(
        *CHECK, "app:v2"
    )
    assert (status, out) == (3, "")
    assert "does not know you" in error


@pytest.mark.parametrize(
    "arguments",
    [
        ["check"],
        ["check", "deployment/shop/api"],
        ["check", "shop/api", "--image", "app:v2"],
        ["check", "pod/shop/api", "--image", "app:v2"],
        ["check", "Deployment/shop/api", "--image", "app:v2"],
        ["check", "deployment/shop/*", "--image", "app:v2"],
        ["check", "deployment/shop/api", "--image", ""],
        ["check", "deployment/shop/api", "--image", "app v2"],
    ],
)
def test_wrong_usage_is_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["target", *arguments])
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err
