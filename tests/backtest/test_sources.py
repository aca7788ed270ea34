"""The same history, whichever way it comes: a file, a daemon's own database, a Prometheus."""

import argparse
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from remediator.backtest.from_database import past_of_database
from remediator.backtest.from_prometheus import (
    FIRING,
    NOTES,
    OWNER,
    POD_OWNER,
    READY,
    SCRAPED,
    STEP,
    WANTED,
    past_of_prometheus,
)
from remediator.backtest.lines import read_history, written
from remediator.backtest.past import PastAlert, PastRollout
from remediator.backtest.report import parts
from remediator.backtest.simulate import simulate
from remediator.cli.rules import add_commands
from remediator.errors import Permanent
from remediator.sandbox.prometheus import AlertingRule, Prometheus, Recorded
from remediator.store.database import Database
from tests.backtest.month import RULES, TERMS, lines, month, rulebook
from tests.backtest.month import written as as_file
from tests.support.clock import DrivenClock

SEEN = """
insert into episodes (source, fingerprint, alertname, labels, annotations, starts_at, opened_at, ends_at, closed_at,
                      target)
    select 'alertmanager', 'f' || n, 'HighErrorRate',
           '{"alertname": "HighErrorRate", "namespace": "shop", "deployment": "api"}', '{}', at,
           at + interval '5 seconds',
           case when n < 3 then at + interval '30 minutes' end, case when n < 3 then at + interval '31 minutes' end,
           'deployment/shop/api'
    from (select n, remediator_now() - make_interval(days => 5 - n) as at from generate_series(1, 3) as n) as days;
insert into episodes (source, fingerprint, alertname, labels, annotations, starts_at, opened_at, target)
    values ('alertmanager', 'p', 'ServiceHung', '{"alertname": "ServiceHung", "namespace": "shop", "pod": "web-1"}',
            '{}', remediator_now() - interval '1 hour', remediator_now() - interval '1 hour', 'deployment/shop/web');
insert into episodes (source, fingerprint, alertname, labels, annotations, starts_at, opened_at)
    values ('alertmanager', 's', 'Odd', '{"alertname": "Odd", "password": "hunter2"}', '{}',
            remediator_now() - interval '30 minutes', remediator_now() - interval '30 minutes');
insert into tenures (cluster, kind, namespace, name, uid, revision, template, began_at, began_seen, ended_at,
                     longest_available_seconds, last_seen_at, unseen)
    select cluster, 'deployment', 'shop', 'api', 'u', 'r' || n,
           '{"spec": {"containers": [{"image": "registry/app:v1"}]}}', remediator_now() - began, n > 1,
           remediator_now() - ended, 86400, remediator_now() - coalesce(ended, interval '2 hours'),
           case when ended is null then array[tstzrange(remediator_now() - interval '2 days',
                                                        remediator_now() - interval '1 day')] else '{}' end
    from (values ('default', 1, interval '20 days', interval '4 days 10 minutes'),
                 ('default', 2, interval '4 days 10 minutes', null),
                 ('elsewhere', 3, interval '3 days', null)) as told (cluster, n, began, ended);
"""


async def test_what_a_database_holds_comes_back_the_same_from_the_file_it_is_exported_to(
    database: Database, clock: DrivenClock, database_url: str, tmp_path: Path
) -> None:
    async with database.connection() as connection:
        await connection.execute(SEEN)
    past = await past_of_database(database_url, "default")
    assert (past.until, len(past.alerts), len(past.rollouts)) == (clock.now(), 5, 2)
    assert past.rollouts[0].title == "app:v1"
    assert past.alerts[-1].labels == {"alertname": "Odd", "password": "***"}
    before, after = past.rollouts
    assert before.unseen == ()
    assert [(clock.now() - begins, clock.now() - ends) for begins, ends in after.unseen] == [
        (timedelta(days=2), timedelta(days=1)),
        (timedelta(hours=2), timedelta(0)),
    ]
    exported = read_history("exported", [line.encode() for line in written(past)])
    assert exported == past
    rules = rulebook(tmp_path)
    result = simulate(past, rules, TERMS)
    assert simulate(exported, rules, TERMS) == result
    assert [(each.at, each.outcome, each.to) for each in result.decisions][:1] == [
        (past.alerts[0].received_at + timedelta(minutes=1), "might act", "app:v1")
    ]
    assert result.decisions[-1].target == "deployment/shop/web"


def test_the_command_exports_what_it_goes_through_and_says_the_same_of_either(
    real_time_database_url: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import asyncio

    import asyncpg

    async def fill() -> None:
        connection = await asyncpg.connect(real_time_database_url)
        await connection.execute(SEEN)
        await connection.close()

    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        runner.run(fill())
    monkeypatch.chdir(tmp_path)
    Path("rules.yaml").write_text(RULES)
    assert run("rules.yaml", "--database-url", real_time_database_url, "--export", "history.jsonl") == 0
    ours = capsys.readouterr().out
    assert run("rules.yaml", "--history", "history.jsonl") == 0
    assert capsys.readouterr().out == ours
    assert "might act for HighErrorRate" in ours


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers(required=True))
    args = parser.parse_args(["rules", "backtest", *arguments])
    return int(args.run(args))


async def test_a_database_without_alerts_and_one_that_is_not_there_are_refused(database_url: str) -> None:
    with pytest.raises(Permanent, match="holds no alert"):
        await past_of_database(database_url, "default")
    with pytest.raises(Permanent, match="the database cannot be read"):
        await past_of_database("postgresql://nobody@127.0.0.1:1/none", "default")


def test_a_history_is_written_as_it_was_read() -> None:
    past = month()
    assert read_history("again", [line.encode() for line in written(past)]) == past


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"kind": "alert", "labels": {}, "startsAt": "2026-10-02T10:00:00"}, "2: startsAt: "),
        ({"kind": "alert", "labels": {}}, "2: startsAt: Field required"),
        ({"kind": "alrt"}, "2: .*alrt"),
        ({"kind": "write", "target": "pod/shop/x", "at": "2026-10-02T10:00:00Z", "by": "k"}, "2: kind 'pod'"),
        (
            {"kind": "history", "version": 1, "from": "2026-10-01T00:00:00Z", "to": "2026-10-02T00:00:00Z"},
            "second",
        ),
        (
            {
                "kind": "alert",
                "labels": {},
                "startsAt": "2026-10-02T10:00:00Z",
                "endsAt": "2026-10-02T09:00:00Z",
            },
            "2: the alert ends before it begins",
        ),
    ],
)
def test_a_line_that_is_wrong_is_named(line: dict[str, object], said: str) -> None:
    window = next(iter(lines()))
    with pytest.raises(Permanent, match=said):
        read_history("history", as_file([window, line]))


def test_a_history_without_its_first_line_is_refused() -> None:
    for told in ([], [b'{"kind":"alert","labels":{},"startsAt":"2026-10-02T10:00:00Z"}']):
        with pytest.raises(Permanent, match="the first line is"):
            read_history("history", told)


NOW = datetime(2026, 11, 2, 12, 0, 30, tzinfo=UTC)
SINCE = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def stretch(labels: dict[str, str], begins: int, ends: int, value: float = 1.0) -> Recorded:
    """A sample every minute; `begins` and `ends` are minutes after the beginning."""
    samples = [(SINCE + STEP * minute, value) for minute in range(begins, ends)]
    return Recorded(labels, samples)


@pytest.fixture
async def prometheus() -> Prometheus:
    return Prometheus(clock=lambda: NOW)


async def test_prometheus_tells_alerts_and_which_replica_set_was_wanted_and_ready_when(
    prometheus: Prometheus,
) -> None:
    of_set = {"namespace": "shop", "replicaset": "api-1"}, {"namespace": "shop", "replicaset": "api-2"}
    alert = {"__name__": "ALERTS", "alertstate": "firing", "alertname": "HighErrorRate", "namespace": "shop"}
    prometheus.ranges = {
        FIRING: [
            # Over the end of a chunk of six hours, and with a gap: two alerts.
            stretch({**alert, "pod": "api-2-x"}, 350, 400),
            stretch({**alert, "pod": "api-2-x"}, 500, 510),
            stretch({**alert, "deployment": "api"}, 0, 10),
            stretch({**alert, "deployment": "api"}, 1400, 1440),
        ],
        WANTED: [stretch(of_set[0], 0, 345, 2), stretch(of_set[1], 340, 1440, 2)],
        READY: [stretch(of_set[0], 0, 345, 2), stretch(of_set[1], 400, 1440, 2)],
        OWNER: [stretch({**each, "owner_name": "api"}, 0, 1440) for each in of_set],
        POD_OWNER: [
            stretch(
                {"namespace": "shop", "pod": "api-2-x", "owner_kind": "ReplicaSet", "owner_name": "api-2"},
                340,
                1440,
            )
        ],
    }
    prometheus.rules = [AlertingRule("HighErrorRate", duration=120)]
    told: list[tuple[int, int]] = []
    async with prometheus:
        past = await past_of_prometheus(prometheus.url, NOW, 1, lambda done, of: told.append((done, of)))
    assert told == [(0, 24), (6, 24), (12, 24), (18, 24), (24, 24)]
    assert (past.since, past.until) == (SINCE, SINCE + timedelta(days=1))
    of_pod = {"alertname": "HighErrorRate", "namespace": "shop", "pod": "api-2-x"}
    of_all = {"alertname": "HighErrorRate", "namespace": "shop", "deployment": "api"}
    hold = timedelta(minutes=2)
    assert list(past.alerts) == [
        # It fired when the window began: it began before.
        PastAlert(of_all, SINCE - STEP, SINCE - STEP, SINCE + 10 * STEP, None, hold),
        PastAlert(
            of_pod, SINCE + 350 * STEP, SINCE + 350 * STEP, SINCE + 400 * STEP, "deployment/shop/api", hold
        ),
        PastAlert(
            of_pod, SINCE + 500 * STEP, SINCE + 500 * STEP, SINCE + 510 * STEP, "deployment/shop/api", hold
        ),
        PastAlert(of_all, SINCE + 1400 * STEP, SINCE + 1400 * STEP, None, None, hold),
    ]
    changed_at = SINCE + 340 * STEP
    assert list(past.rollouts) == [
        PastRollout("deployment/shop/api", SINCE, "api-1", "api-1", False, changed_at, 339 * 60.0),
        PastRollout("deployment/shop/api", changed_at, "api-2", "api-2", True, None, 1039 * 60.0),
    ]


async def test_what_a_prometheus_does_not_hold_stays_unknown(prometheus: Prometheus, tmp_path: Path) -> None:
    alert = {"__name__": "ALERTS", "alertstate": "firing", "alertname": "HighErrorRate", "namespace": "shop"}
    prometheus.ranges = {FIRING: [stretch({**alert, "deployment": "api"}, 60, 90)]}
    async with prometheus:
        past = await past_of_prometheus(prometheus.url, NOW, 1, lambda _done, _of: None)
    assert past.alerts[0].hold is None
    assert read_history("exported", [line.encode() for line in written(past)]).notes == NOTES
    assert any("a restart makes a new ReplicaSet" in each for each in past.notes)
    heading = next(parts(past, 1, TERMS.assumptions, simulate(past, rulebook(tmp_path), TERMS)))
    assert heading.rows[-len(NOTES) :] == [(each,) for each in NOTES]
    (decision,) = simulate(past, rulebook(tmp_path), TERMS).decisions
    assert decision.outcome == "might act"
    assert {"caused_by_rollout", "rollback (which version)", "human_active"} <= {*decision.unknown}


def told_of(wanted: dict[str, list[tuple[int, int]]]) -> dict[str, list[Recorded]]:
    """What kube-state-metrics tells when these ReplicaSets were wanted in these minutes, and other/else always."""
    sets = {name: {"namespace": "shop", "replicaset": name} for name in wanted}
    return {
        WANTED: [stretch(sets[name], *times, 2) for name, stretches in wanted.items() for times in stretches],
        OWNER: [stretch({**of_set, "owner_name": "api"}, 0, 1440) for of_set in sets.values()],
    }


ELSE = stretch({"namespace": "other", "replicaset": "else-1"}, 0, 1440)


@pytest.mark.parametrize(
    ("wanted", "elsewhere", "expected"),
    [
        pytest.param(
            {"api-1": [(0, 1440)], "api-2": [(1000, 1015)]},
            True,
            [("api-1", 0, False), ("api-2", 1000, True), ("api-1", 1015, True)],
            id="a rollout that is stuck and rolled back while the old version still runs",
        ),
        pytest.param(
            {"api-1": [(0, 345), (600, 1440)], "api-2": [(340, 605)]},
            True,
            [("api-1", 0, False), ("api-2", 340, True), ("api-1", 600, True)],
            id="a rollback to a version that was gone",
        ),
        pytest.param(
            {"api-1": [(0, 300), (400, 1440)]},
            False,
            [("api-1", 0, False)],
            id="kube-state-metrics is away for a while",
        ),
        pytest.param(
            {"api-1": [(0, 300)], "api-2": [(400, 1440)]},
            False,
            [("api-1", 0, False), ("api-2", 400, False)],
            id="a rollout while kube-state-metrics is away",
        ),
        pytest.param(
            {"api-1": [(0, 310), (400, 1440)], "api-2": [(300, 310), (400, 1440)]},
            False,
            [("api-1", 0, False), ("api-2", 300, True)],
            id="kube-state-metrics is away in a rollout",
        ),
        pytest.param(
            {"api-1": [(0, 300), (400, 1440)]}, True, [("api-1", 0, False)], id="scaled to zero and back"
        ),
    ],
)
async def test_the_current_version_is_the_newest_that_is_wanted(
    prometheus: Prometheus,
    wanted: dict[str, list[tuple[int, int]]],
    elsewhere: bool,
    expected: list[tuple[str, int, bool]],
) -> None:
    ranges = told_of(wanted)
    if elsewhere:
        ranges[WANTED].append(ELSE)
    prometheus.ranges = {FIRING: [], **ranges}
    async with prometheus:
        past = await past_of_prometheus(prometheus.url, NOW, 1, lambda _done, _of: None)
    found = past.rollouts_of["deployment/shop/api"]
    assert [(each.revision, (each.began_at - SINCE) // STEP, each.began_seen) for each in found] == expected
    assert [each.ended_at for each in found] == [*(each.began_at for each in found[1:]), None]


@pytest.mark.parametrize(
    ("scraped", "alerts"),
    [
        ([(0, 1440)], 2),
        ([(0, 357), (361, 1440)], 1),
        ([(0, 358), (361, 1440)], 2),
        # So long that Alertmanager took it for over.
        ([(0, 357), (365, 1440)], 2),
        # Nobody knows.
        ([], 2),
    ],
)
async def test_an_alert_goes_on_over_a_short_time_in_which_prometheus_saw_nothing(
    prometheus: Prometheus, scraped: list[tuple[int, int]], alerts: int
) -> None:
    again_at = 365 if scraped[1:] == [(365, 1440)] else 361
    labels = {"__name__": "ALERTS", "alertstate": "firing", "alertname": "HighErrorRate", "deployment": "api"}
    prometheus.ranges = {
        FIRING: [stretch(labels, 300, 357), stretch(labels, again_at, 400)],
        SCRAPED: [stretch({}, *times) for times in scraped],
    }
    async with prometheus:
        past = await past_of_prometheus(prometheus.url, NOW, 1, lambda _done, _of: None)
    assert len(past.alerts) == alerts
