"""What Alertmanager sends is stored before it is acknowledged; a repeat is no new alert."""

import asyncio
import json
import logging
from datetime import UTC, datetime, timedelta

import pytest

from remediator.store import notices
from remediator.web.intake import SOURCE
from tests.support.alerts import RECORDINGS, alert, labelled, message, recorded
from tests.support.clock import DrivenClock
from tests.support.web import INTAKE, Web


def written(row: object) -> str:
    """Comparable and sortable, whatever the order of keys."""
    return json.dumps(row, sort_keys=True)


SINGLE = sorted(path.stem for path in RECORDINGS.glob("*.json") if "request" in json.loads(path.read_text()))


@pytest.mark.parametrize("name", SINGLE)
async def test_every_recorded_message_is_stored_as_it_was_sent(web: Web, name: str) -> None:
    body = recorded(name)
    sent = json.loads(body)["alerts"]

    answer = await web.post(body)

    assert (answer.status, answer.json) == (
        200,
        {"status": "success", "alerts": len(sent), "quarantined": 0},
    )
    rows = await web.rows("select fingerprint, status, labels, annotations, generator_url from notices")
    assert sorted(map(written, rows)) == sorted(
        written(
            {
                "fingerprint": each["fingerprint"],
                "status": each["status"],
                "labels": each["labels"],
                "annotations": each["annotations"],
                "generator_url": each["generatorURL"],
            }
        )
        for each in sent
    )


async def test_the_recorded_retries_of_one_message_are_one_notice(web: Web) -> None:
    story = json.loads((RECORDINGS / "retries-503-then-200.json").read_text())
    for delivery in story["deliveries"]:
        assert (await web.post(delivery["request"]["raw"].encode())).status == 200
    rows = await web.rows("select deliveries from notices")
    assert rows == [{"deliveries": len(story["deliveries"])}]


async def test_firing_resolved_and_firing_again_are_three_notices_of_one_alert(web: Web) -> None:
    for name in ("firing", "resolved", "refiring"):
        await web.post(recorded(name))
    rows = await web.rows("select fingerprint, status, ends_at is null as open from notices order by id")
    assert [(row["status"], row["open"]) for row in rows] == [
        ("firing", True),
        ("resolved", False),
        ("firing", True),
    ]
    assert len({row["fingerprint"] for row in rows}) == 1


async def test_a_group_is_stored_alert_by_alert_whatever_its_own_status_says(web: Web) -> None:
    await web.post(recorded("mixed"))
    rows = await web.rows("select status, count(*) from notices group by status order by status")
    assert [tuple(row.values()) for row in rows] == [("firing", 2), ("resolved", 1)]


async def test_fifty_identical_posts_at_once_are_one_notice(web: Web) -> None:
    body = recorded("firing")
    answers = await asyncio.gather(*(web.post(body) for _ in range(50)))
    assert {answer.status for answer in answers} == {200}
    assert await web.rows("select deliveries from notices") == [{"deliveries": 50}]
    assert web.metric("alerts_received_total", disposition="stored") == 1
    assert web.metric("alerts_received_total", disposition="repeated") == 49


async def test_the_same_alert_many_times_in_one_message_is_one_notice(web: Web) -> None:
    assert (await web.post(message(*[alert()] * 30, labelled(alertname="Other")))).status == 200
    rows = await web.rows("select deliveries from notices order by deliveries")
    assert [row["deliveries"] for row in rows] == [1, 30]


async def test_a_repeat_is_read_by_planning_again(web: Web, clock: DrivenClock) -> None:
    await web.post(recorded("firing"))
    async with web.database.transaction() as connection:
        (notice,) = await notices.take_unread(connection, 10, 60)
        await notices.mark_read(connection, notice.id, "opened", None)
    await clock.advance(300)

    await web.post(recorded("firing"))

    (row,) = await web.rows("select received_at, last_received_at, read_at, disposition from notices")
    assert row["last_received_at"] - row["received_at"] == timedelta(seconds=300)
    assert (row["read_at"], row["disposition"]) == (None, "opened")
    async with web.database.transaction() as connection:
        assert [each.id for each in await notices.take_unread(connection, 10, 60)] == [notice.id]


async def test_a_truncated_group_is_to_be_fetched_and_closes_nothing(web: Web) -> None:
    body = recorded("truncated-resolved")
    assert (await web.post(body)).status == 200
    sent = json.loads(body)
    assert await web.rows("select source, group_key, group_labels, truncated, done_at from backfills") == [
        {
            "source": SOURCE,
            "group_key": sent["groupKey"],
            "group_labels": sent["groupLabels"],
            "truncated": 3,
            "done_at": None,
        }
    ]
    assert {row["status"] for row in await web.rows("select status from notices")} == {"resolved"}


async def test_a_group_that_waits_to_be_fetched_is_not_asked_for_twice(web: Web) -> None:
    for _ in range(3):
        await web.post(recorded("truncated-firing"))
    assert await web.rows("select count(*) from backfills") == [{"count": 1}]
    await web.rows("update backfills set tries = 1 returning id")
    await web.post(recorded("truncated-firing"))
    assert await web.rows("select count(*) from backfills") == [{"count": 2}]


@pytest.mark.parametrize("path", [INTAKE, f"{INTAKE}/", f"{INTAKE}/prod-eu", f"{INTAKE}/prod-eu/"])
async def test_the_path_says_nothing_about_the_source(web: Web, path: str) -> None:
    assert (await web.post(recorded("firing"), path)).status == 200
    assert await web.rows("select source from notices") == [{"source": SOURCE}]


async def test_labels_in_any_order_are_the_same_alert(web: Web) -> None:
    labels = json.loads(recorded("firing"))["alerts"][0]["labels"]
    for order in (sorted(labels), sorted(labels, reverse=True)):
        await web.post(message(alert(labels={name: labels[name] for name in order})))
    assert await web.rows("select deliveries from notices") == [{"deliveries": 2}]


async def test_empty_label_values_are_no_labels_as_for_prometheus(web: Web) -> None:
    await web.post(message(labelled(alertname="A", pod="p", container="")))
    await web.post(message(labelled(alertname="A", pod="p")))
    assert await web.rows("select labels, deliveries from notices") == [
        {"labels": {"alertname": "A", "pod": "p"}, "deliveries": 2}
    ]


async def test_the_fingerprint_is_ours_and_not_the_senders(web: Web) -> None:
    await web.post(message(alert(labels={"alertname": "A"}, fingerprint="0" * 16)))
    await web.post(message(alert(labels={"alertname": "B"}, fingerprint="0" * 16)))
    rows = await web.rows("select fingerprint from notices")
    assert len({row["fingerprint"] for row in rows} - {"0" * 16}) == 2


async def test_nanoseconds_are_cut_and_offsets_become_utc(web: Web) -> None:
    await web.post(message(alert(startsAt="2026-01-05T12:58:00.123456789+01:00")))
    (row,) = await web.rows("select starts_at from notices")
    assert row["starts_at"] == datetime(2026, 1, 5, 11, 58, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize("ends_at", ["0001-01-01T00:00:00Z", "2026-01-05T12:03:00Z", None])
async def test_a_firing_alert_has_no_end_whatever_it_says(web: Web, ends_at: str | None) -> None:
    await web.post(message(alert(endsAt=ends_at)))
    assert await web.rows("select ends_at from notices") == [{"ends_at": None}]


async def test_one_bad_alert_among_fifty_is_set_aside_and_the_rest_stored(web: Web) -> None:
    good = [labelled(alertname="A", pod=f"pod-{number}") for number in range(49)]
    bad = labelled(alertname="A", pod="nul\x00")
    answer = await web.post(message(*good[:20], bad, *good[20:]))
    assert (answer.status, answer.json) == (200, {"status": "success", "alerts": 49, "quarantined": 1})
    assert await web.rows("select count(*) from notices") == [{"count": 49}]
    (row,) = await web.rows("select source, reason, body from quarantine")
    assert row["source"] == SOURCE
    assert row["reason"] == "its labels hold a NUL or half a surrogate pair, which PostgreSQL cannot store"
    assert json.loads(row["body"]) == bad
    assert web.metric("alerts_received_total", disposition="quarantined") == 1


async def test_what_is_set_aside_is_kept_as_it_came_and_cut_where_it_is_too_long(web: Web) -> None:
    odd = {"status": "?", "labels": {"é": [], "n": {"deep": [1, -2.5, None, True, {}]}}}
    for sent in (odd, {**odd, "more": "x" * 100_000}):
        await web.post(message(sent))
    whole, cut = (each["body"] for each in await web.rows("select body from quarantine order by id"))
    assert whole == json.dumps(odd)
    assert cut == json.dumps({**odd, "more": "x" * 100_000})[: 64 * 1024]


async def test_a_receiver_with_a_dot_is_logged_as_the_operator_wrote_it(
    web: Web, caplog: pytest.LogCaptureFixture
) -> None:
    body = json.loads(recorded("receiver-with-dot"))
    assert body["receiver"] == r"team\.payments"
    with caplog.at_level(logging.WARNING, "remediator.web.intake"):
        await web.post({**body, "alerts": [*body["alerts"], "bad"]})
    (line,) = caplog.records
    assert vars(line)["fields"]["receiver"] == "team.payments"


async def test_requests_are_counted_by_code_and_timed(web: Web) -> None:
    await web.post(recorded("firing"))
    await web.post(b"{")
    assert web.metric("webhook_requests_total", code="200") == 1
    assert web.metric("webhook_requests_total", code="400") == 1
    assert web.metric("webhook_request_duration_seconds_count") == 2
