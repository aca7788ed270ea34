"""One poisoned row or object never stops a loop: it ends with people, or is set aside, and the others go on."""

import json
from collections.abc import AsyncIterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from remediator.sandbox.kubernetes.faults import AnswerStatus, Fault
from remediator.store.outbox import KUBERNETES_EVENT
from tests.support.alerts import labelled, message
from tests.support.clock import DrivenClock
from tests.support.people import Someone
from tests.support.story import KIM, TOKEN, Story, deployment, told
from tests.support.web import bearer

RULES = """
rules:
  - rule: look
    mode: act
    match: ['{alertname="HighErrorRate"}']
    diagnostics: [pods]
  - rule: fix
    mode: act
    match: ['{alertname="Hung"}']
    actions: [restart]
    verifications: [rollout_complete: {within: 5m}]
"""


@pytest.fixture
async def story(tmp_path: Path, database_url: str, clock: DrivenClock) -> AsyncIterator[Story]:
    """Deployments `api` and `web`, and a rule that looks at what fires and hands it over."""
    async with told(tmp_path, database_url, clock, RULES) as made:
        await made.create("app:v1")
        other = deployment("app:v1")
        other["metadata"]["name"] = "web"
        made.emulator.create(other)
        await made.let(30)
        yield made


async def rows(story: Story, query: str, *parameters: object) -> list[dict[str, Any]]:
    async with story.daemon.database.connection() as connection:
        return [dict(row) for row in await connection.fetch(query, *parameters)]


async def planned_and_not_begun(story: Story, deployment_name: str, alertname: str = "HighErrorRate") -> int:
    """A run in PLANNED that no worker has touched."""
    story.alertmanager.fire({"alertname": alertname, "namespace": "shop", "deployment": deployment_name})
    await story.alertmanager.deliver(f"{story.url}/api/v1/alertmanager", token=TOKEN)
    await story.daemon.reader.tick()
    while await story.daemon.planner.tick():
        pass
    (run,) = await rows(story, "select id from runs where name = $1", deployment_name)
    return int(run["id"])


@pytest.mark.parametrize(
    "damage",
    [
        "rule_text = '{}'",
        """rule_text = jsonb_set(rule_text, '{diagnostics}', '[{"step_of_the_future": {}}]')""",
        "trigger = trigger - 'labels'",
        "plan = '[]'",
        "progress = '[1]'",
        """progress = '{"x": 1}'""",
    ],
)
async def test_a_run_that_cannot_be_read_is_left_to_people_and_others_go_on(
    story: Story, damage: str
) -> None:
    poisoned = await planned_and_not_begun(story, "web")
    await rows(
        story, f"update runs set {damage}, due_at = due_at - interval '1 hour' where id = $1", poisoned
    )
    healthy = await planned_and_not_begun(story, "api")

    await story.settle()

    ended = {row["id"]: row for row in await rows(story, "select id, state, why, ended_at from runs")}
    assert ended[healthy]["state"] == "ESCALATED"
    assert ended[poisoned]["state"] == "ESCALATED"
    assert "cannot be read by this version" in ended[poisoned]["why"]
    assert ended[poisoned]["ended_at"] is not None
    (notice,) = await rows(
        story,
        "select payload, delivered_at from outbox where run_id = $1 and channel = $2",
        poisoned,
        KUBERNETES_EVENT,
    )
    assert "Somebody has to take over" in notice["payload"]["text"]
    assert notice["delivered_at"] is not None
    answer = await Someone(story.url, bearer(KIM)).send("GET", f"/api/v1/runs/{poisoned}")
    assert (answer.status, "cannot be read" in answer.json["error"]) == (409, True)


async def test_one_that_may_have_changed_something_is_unknown_and_keeps_its_target(story: Story) -> None:
    poisoned = await planned_and_not_begun(story, "web")
    await rows(
        story,
        """insert into attempts (run_id, rung, action_index, action, rule, cluster, kind, namespace, name,
                                 from_revision, to_revision, change, epoch, sends)
           values ($1, 0, 0, 'restart', 'look', 'here', 'deployment', 'shop', 'web', 'a', 'b', '{}', 1, 1)""",
        poisoned,
    )
    await rows(story, "update runs set state = 'APPROVED', rule_text = '{}' where id = $1", poisoned)
    await story.settle()
    (run,) = await rows(story, "select state from runs where id = $1", poisoned)
    assert run["state"] == "UNKNOWN"


async def test_a_stage_that_breaks_is_held_and_then_ends_with_people(story: Story) -> None:
    poisoned = await planned_and_not_begun(story, "web", "Hung")
    await rows(story, "update runs set state = 'DIAGNOSED', rung = 99 where id = $1", poisoned)
    await story.settle()
    (held,) = await rows(story, "select state, why, hold_why from runs where id = $1", poisoned)
    assert held["hold_why"], held
    assert (held["state"], "failed with" in held["hold_why"]) == ("DIAGNOSED", True)

    await story.let(3700, step=300)

    (ended,) = await rows(story, "select state, why from runs where id = $1", poisoned)
    assert (ended["state"], "left to people" in ended["why"]) == ("ESCALATED", True)


@pytest.mark.parametrize("damage", ["labels = '[]'", """labels = '{"a": 1}'""", "annotations = '\"x\"'"])
async def test_a_stored_notice_that_cannot_be_read_is_set_aside(story: Story, damage: str) -> None:
    sent = message(*(labelled(alertname="Other", pod=f"pod-{number}") for number in range(5)))
    assert (await Someone(story.url, bearer(TOKEN)).send("POST", "/api/v1/alertmanager", sent)).status == 200
    await rows(story, f"update notices set {damage} where id = (select min(id) from notices)")

    await story.settle()

    assert await rows(story, "select count(*) from notices where read_at is null") == [{"count": 0}]
    assert await rows(story, "select count(*) from episodes where alertname = 'Other'") == [{"count": 4}]
    (aside,) = await rows(story, "select reason from quarantine")
    assert "cannot be read by this version" in aside["reason"]


@pytest.mark.parametrize(("refused", "kept"), [("unique_violation", True), ("check_violation", False)])
async def test_only_what_a_notice_itself_did_wrong_sets_it_aside(
    story: Story, refused: str, kept: bool
) -> None:
    """Another replica may have been quicker: that is no fault of the alert, which is read again."""
    await rows(
        story,
        f"""create function refuse() returns trigger language plpgsql as
            $$ begin raise exception 'refused' using errcode = '{refused}'; end $$""",
    )
    await rows(
        story,
        """create trigger refused before insert on episodes for each row
           when (new.alertname = 'Other') execute function refuse()""",
    )
    sent = message(labelled(alertname="Other", pod="pod-1"))
    assert (await Someone(story.url, bearer(TOKEN)).send("POST", "/api/v1/alertmanager", sent)).status == 200
    with pytest.raises(asyncpg.UniqueViolationError) if kept else nullcontext():
        await story.daemon.reader.tick()
    assert await rows(story, "select count(*) from quarantine") == [{"count": 0 if kept else 1}]

    await rows(story, "drop trigger refused on episodes")
    await story.let(5 * 60)

    found = await rows(story, "select count(*) from episodes where alertname = 'Other'")
    assert found == [{"count": 1 if kept else 0}]


async def test_a_notice_to_people_that_cannot_be_read_is_given_up_and_the_next_is_sent(story: Story) -> None:
    first, second = [await planned_and_not_begun(story, name) for name in ("web", "api")]
    while await story.daemon.worker.tick():
        pass
    await rows(story, """update outbox set payload = '{"text": 1}' where run_id = $1""", first)
    await story.settle()
    found = await rows(story, "select run_id, given_up_at, delivered_at, last_error from outbox")
    by_run = {row["run_id"]: row for row in found if row["run_id"] is not None}
    assert by_run[first]["given_up_at"] is not None
    assert "cannot be read" in by_run[first]["last_error"]
    assert by_run[second]["delivered_at"] is not None


async def test_an_alert_that_cannot_be_stored_does_not_keep_the_rest_of_a_cut_group(story: Story) -> None:
    story.alertmanager.fire({"alertname": "Cut", "pod": "nul\x00"})
    story.alertmanager.fire({"alertname": "Cut", "pod": "good"})
    sent = message(truncatedAlerts=2, groupLabels={"alertname": "Cut"})
    assert (await Someone(story.url, bearer(TOKEN)).send("POST", "/api/v1/alertmanager", sent)).status == 200
    await story.settle()
    assert await rows(story, "select labels->>'pod' as pod from episodes where alertname = 'Cut'") == [
        {"pod": "good"}
    ]
    assert await rows(story, "select count(*) from backfills where done_at is null") == [{"count": 0}]
    (aside,) = await rows(story, "select reason from quarantine")
    assert "NUL" in aside["reason"]


def odd_workloads() -> dict[str, Any]:
    """Objects no API server should send, each beside one that is as it should be."""
    good = deployment("app:v1")
    return {
        "no spec": {"metadata": {"name": "odd", "namespace": "shop", "uid": "u", "resourceVersion": "1"}},
        "no template": {**good, "metadata": {**good["metadata"], "name": "odd", "uid": "u"}, "spec": {}},
        "texts for numbers": {
            **good,
            "metadata": {**good["metadata"], "name": "odd", "uid": "u", "generation": "x"},
            "status": {"observedGeneration": "y", "replicas": "many", "conditions": "none"},
        },
        "containers that are none": {
            **good,
            "metadata": {**good["metadata"], "name": "odd", "uid": "u"},
            "spec": {**good["spec"], "template": {"spec": {"containers": "app"}}},
        },
        "owners that are none": {
            **good,
            "metadata": {**good["metadata"], "name": "odd", "uid": "u", "ownerReferences": "x"},
        },
        "managed by half a megabyte": {
            **good,
            "metadata": {
                **good["metadata"],
                "name": "odd",
                "uid": "u",
                "managedFields": [{"manager": "x" * 500_000}],
            },
        },
        "NUL in its environment": {
            **good,
            "metadata": {**good["metadata"], "name": "odd", "uid": "u", "annotations": {"a": "\x00\ud800"}},
        },
    }


@pytest.mark.parametrize("name", odd_workloads())
async def test_one_odd_object_does_not_keep_the_memory_from_the_others(story: Story, name: str) -> None:
    good = [story.emulator.get("deployments", "shop", each) or {} for each in ("api", "web")]
    version = max(int(each["metadata"]["resourceVersion"]) for each in good)
    metadata = {"resourceVersion": str(version)}
    listed = {"kind": "DeploymentList", "metadata": metadata, "items": [odd_workloads()[name], *good]}
    answer = AnswerStatus(200, body=json.dumps(listed))
    lists = Fault("GET", "/deployments$", answer, when=lambda call, _: "watch" not in call.query, times=None)
    story.emulator.faults.add(lists)
    await story.daemon.watcher.close()
    await rows(story, "update tenures set last_seen_at = last_seen_at - interval '1 day'")
    await story.let(15)
    seen = await rows(
        story, "select name from tenures where last_seen_at > remediator_now() - interval '1 minute'"
    )
    assert {row["name"] for row in seen} >= {"api", "web"}
    assert lists.hits
