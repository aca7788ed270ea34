"""What a Prometheus tells: when alerts fired, and which version of a workload was the current one."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

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
from remediator.sandbox.prometheus import AlertingRule, Prometheus, Recorded
from tests.backtest.month import TERMS, rulebook

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
