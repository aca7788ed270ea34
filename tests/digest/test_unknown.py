"""What is not configured, or does not answer, is told in its section, and is never fine."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from remediator.digest.compose import Entry, filled
from remediator.digest.section import Found, Line, fine, look, unknown
from remediator.digest.sources import Sources, Stretch
from remediator.sandbox.kubernetes import Fault
from remediator.sandbox.kubernetes.faults import AnswerStatus
from tests.digest.full import lines, state
from tests.support.clock import DrivenClock
from tests.support.people import Someone
from tests.support.story import KIM, Story, told
from tests.support.web import bearer

OF_PROMETHEUS = ("slos", "error_rates", "performance", "capacity")
OF_DATABASES = ("databases", "slow_statements", "backups", "security_events", "access")


@pytest.fixture
async def story(tmp_path: Path, database_url: str, clock: DrivenClock) -> AsyncIterator[Story]:
    async with told(tmp_path, database_url, clock) as made:
        yield made


async def weekly(story: Story) -> Any:
    answer = await Someone(story.url, bearer(KIM)).send("GET", "/api/v1/digests/weekly")
    assert answer.status == 200, answer
    return answer.json


async def test_what_is_not_configured_is_said_in_its_section(story: Story) -> None:
    await story.create("app:v1")
    digest = await weekly(story)
    for each in (*OF_PROMETHEUS, *OF_DATABASES, "resource_use"):
        assert state(digest, each) == "unknown", each
    no_objective = (
        "unknown: no objective is known: neither Sloth's nor Pyrra's series, nor `slos` in remediator.yml"
    )
    assert lines(digest, "slos") == lines(digest, "error_rates") == [no_objective]
    assert lines(digest, "capacity") == [
        "unknown: processor asked for: Prometheus has no series of kube-state-metrics about it",
        "unknown: memory asked for: Prometheus has no series of kube-state-metrics about it",
        "unknown: volume: Prometheus has no series of the kubelets about it",
    ]
    assert lines(digest, "performance") == [
        "unknown: throttling: Prometheus has no series of cAdvisor about these namespaces",
        "unknown: restarts: Prometheus has no series of kube-state-metrics about these namespaces",
    ]
    assert lines(digest, "resource_use") == [
        (
            "unknown: shop: what its 2 pods use is not known: this cluster has no metrics.k8s.io; "
            "Prometheus has no series of cAdvisor's about them"
        )
    ]
    no_database = ["unknown: no database is named under `databases` in remediator.yml"]
    assert [lines(digest, each) for each in OF_DATABASES[:3]] == [no_database] * 3
    for section, kind in (("security_events", "security"), ("access", "access")):
        said = f"unknown: no query under `databases` in remediator.yml has `digest: {kind}`"
        assert said in lines(digest, section)


async def test_a_source_that_is_away_costs_its_own_section_alone(story: Story) -> None:
    await story.prometheus.stop()
    story.emulator.faults.add(Fault("GET", "/pods", AnswerStatus(503, "No", "etcd is away"), times=None))
    digest = await weekly(story)
    for each in (*OF_PROMETHEUS, "resource_use"):
        assert state(digest, each) == "unknown", each
    assert all("cannot connect" in each for section in OF_PROMETHEUS for each in lines(digest, section))
    (said,) = lines(digest, "resource_use")
    assert said.startswith("unknown: shop: ")
    assert "etcd is away" in said
    assert [state(digest, each) for each in ("alerts", "locked_targets", "rules")] == ["fine"] * 3


async def test_namespaces_that_cannot_be_told_are_not_known_to_be_well(story: Story) -> None:
    story.emulator.faults.add(Fault("GET", "/namespaces/shop$", AnswerStatus(503, "No", "no"), times=None))
    digest = await weekly(story)
    assert [state(digest, each) for each in ("resource_use", "performance")] == ["unknown"] * 2


async def test_without_our_own_database_the_rest_is_still_told(story: Story) -> None:
    await story.daemon.database.close()
    digest = await weekly(story)
    for each in ("alerts", "locked_targets", "rules", "security_events"):
        (said,) = lines(digest, each)
        assert said.startswith(f"unknown: {each}: our own database: ")
    assert state(digest, "left_to_people") == "fine"


async def test_databases_that_do_not_answer_are_told_by_name(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    (tmp_path / "dead").write_text("postgresql://looker@127.0.0.1:1/orders")
    query = {"name": "failed_logins", "sql": "select 1", "digest": "security"}
    databases = [
        {
            "name": "orders",
            "dsn_file": tmp_path / "dead",
            "backups": "shop/nowhere",
            "queries": [query, {**query, "name": "readers", "digest": "access"}],
        },
        {"name": "stock", "dsn_file": tmp_path / "missing"},
    ]
    async with told(tmp_path, database_url, clock, settings={"databases": databases}) as story:
        digest = await weekly(story)
    assert lines(digest, "backups") == [
        "unknown: orders: there is no ConfigMap shop/nowhere, which tells of backups",
        "unknown: stock: remediator.yml says no backups for database stock",
    ]
    for each in ("databases", "slow_statements"):
        orders, stock = lines(digest, each)
        assert orders.startswith("unknown: orders: database orders does not answer: ")
        assert stock.startswith("unknown: stock: database stock: ")
    assert lines(digest, "access")[0].startswith("unknown: orders: database orders does not answer: ")
    assert state(digest, "security_events") == "unknown"


async def test_a_section_that_does_not_end_says_so(story: Story) -> None:
    async def never(_: Sources) -> Found:
        await asyncio.Event().wait()
        raise AssertionError

    section = await filled(Entry("Never", never, seconds=0.01), sources(story))
    assert (section.state, section.lines[0].text) == ("unknown", "test_unknown gave no answer within 0.01 s")


async def test_a_section_with_a_bug_says_so_and_takes_no_other_with_it(story: Story) -> None:
    async def broken(_: Sources) -> Found:
        raise KeyError("usage")

    section = await filled(Entry("Broken", broken), sources(story))
    assert section.state == "unknown"
    assert "failed with KeyError: 'usage'" in section.lines[0].text


def sources(story: Story) -> Sources:
    daemon, rules = story.daemon, story.daemon.rules
    stretch, opted_in = Stretch("daily", story.clock.now()), daemon.watcher.opted_in
    return Sources(
        stretch, daemon.kit, daemon.database, rules.rules, rules.modes, opted_in, watchdog="Watchdog"
    )


@pytest.mark.parametrize(
    ("found", "states"),
    [
        ([fine("a"), unknown("b"), look("c")], ["look", "unknown", "fine"]),
        ([fine("a")] * 30, ["fine"] * 21),
        ([*[look("a")] * 19, *[unknown("b")] * 5], [*["look"] * 19, "unknown", "unknown"]),
    ],
)
def test_what_matters_comes_first_and_what_is_left_out_is_counted(
    found: list[Line], states: list[str]
) -> None:
    shown = Found(lines=tuple(found)).shortened()
    assert [each.state for each in shown] == states
    left = len(found) - 20
    assert left < 1 or shown[-1].text == f"and {left} more"
    json.dumps([each.to_json() for each in shown])
