"""What proves from kube-state-metrics that a ReplicaSet was fully available, and what does not."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest

from remediator.clients.http import HttpClient
from remediator.clients.kube_state_metrics import was_available
from remediator.clients.prometheus import PrometheusClient
from remediator.domain.target import Target
from remediator.errors import Permanent, Retryable
from remediator.sandbox.prometheus import Prometheus, Recorded
from tests.support.clock import START
from tests.support.kube_state_metrics import healthy

API = Target(cluster="here", kind="deployment", namespace="shop", name="api")
SOAK = timedelta(minutes=30)
UNTIL = START + timedelta(hours=2)


@pytest.fixture
async def prometheus() -> AsyncIterator[Prometheus]:
    async with Prometheus(clock=lambda: START + timedelta(hours=3)) as prometheus:
        yield prometheus


@pytest.fixture
def asked(prometheus: Prometheus, http: HttpClient) -> PrometheusClient:
    return PrometheusClient(http, prometheus.url, {})


def altered(
    recorded: list[Recorded], metric: str, change: Callable[[float, float], float | None]
) -> list[Recorded]:
    """With this change of minute and value in one metric; None drops the sample."""
    found = []
    for each in recorded:
        samples = [
            (moment, changed)
            for moment, value in each.samples
            for changed in [change((UNTIL - moment) / timedelta(minutes=1), value)]
            if changed is not None
        ]
        found.append(Recorded(each.labels, samples) if each.labels["__name__"] == metric else each)
    return found


async def answer(prometheus: Prometheus, asked: PrometheusClient, past: list[Recorded]) -> bool:
    prometheus.past = past
    return await was_available(asked, API, "api-1", SOAK, UNTIL, ("cluster", "here"))


async def test_samples_that_cover_the_soak_time_and_are_all_well_prove_it(
    prometheus: Prometheus, asked: PrometheusClient
) -> None:
    assert await answer(prometheus, asked, healthy("api-1", SOAK, UNTIL))


async def test_without_samples_nothing_is_proven(prometheus: Prometheus, asked: PrometheusClient) -> None:
    assert not await answer(prometheus, asked, [])
    assert not await answer(prometheus, asked, healthy("api-2", SOAK, UNTIL))
    assert not await answer(prometheus, asked, healthy("api-1", SOAK, UNTIL, namespace="bank"))


READY, OF_SET, OF_DEPLOYMENT = (
    "kube_replicaset_status_ready_replicas",
    "kube_replicaset_spec_replicas",
    "kube_deployment_spec_replicas",
)


@pytest.mark.parametrize("metric", [READY, OF_SET, OF_DEPLOYMENT])
@pytest.mark.parametrize(
    "change",
    [
        lambda minute, value: value - 1 if 10 <= minute < 10.5 else value,
        lambda minute, value: value + 1 if 10 <= minute < 10.5 else value,
        lambda minute, value: None if 10 <= minute < 10.5 else value,
        lambda minute, value: None if minute < 5 else value,
        lambda minute, value: float("nan") if 10 <= minute < 10.5 else value,
        lambda *_: None,
    ],
    ids=["fewer", "more", "one sample lacks", "none at the end", "not a number", "none at all"],
)
async def test_one_sample_that_is_not_well_is_enough_against_it(
    prometheus: Prometheus,
    asked: PrometheusClient,
    metric: str,
    change: Callable[[float, float], float | None],
) -> None:
    assert not await answer(prometheus, asked, altered(healthy("api-1", SOAK, UNTIL), metric, change))


@pytest.mark.parametrize(("gap", "proven"), [(1.5, True), (3, False)])
@pytest.mark.parametrize("at", [0.0, 12.0, 27.0])
async def test_a_failed_scrape_is_no_gap_but_minutes_without_samples_are(
    prometheus: Prometheus, asked: PrometheusClient, at: float, gap: float, proven: bool
) -> None:
    past = healthy("api-1", SOAK, UNTIL)
    for metric in (READY, OF_SET, OF_DEPLOYMENT):
        past = altered(past, metric, lambda minute, value: None if at <= minute < at + gap else value)
    assert await answer(prometheus, asked, past) == proven


async def test_nothing_wanted_is_not_available(prometheus: Prometheus, asked: PrometheusClient) -> None:
    assert not await answer(prometheus, asked, healthy("api-1", SOAK, UNTIL, replicas=0))


async def test_two_replicas_of_kube_state_metrics_may_say_the_same(
    prometheus: Prometheus, asked: PrometheusClient
) -> None:
    both = healthy("api-1", SOAK, UNTIL, instance="a") + healthy("api-1", SOAK, UNTIL, instance="b")
    assert await answer(prometheus, asked, both)
    differing = healthy("api-1", SOAK, UNTIL, instance="a") + altered(
        healthy("api-1", SOAK, UNTIL, instance="b"), READY, lambda _, value: value - 1
    )
    assert not await answer(prometheus, asked, differing)


async def test_what_may_be_of_another_cluster_proves_nothing(
    prometheus: Prometheus, asked: PrometheusClient
) -> None:
    here, there = (healthy("api-1", SOAK, UNTIL, cluster=each) for each in ("here", "there"))
    assert await answer(prometheus, asked, here)
    assert not await answer(prometheus, asked, there)
    assert not await answer(prometheus, asked, here + there)
    region = healthy("api-1", SOAK, UNTIL, region="east") + healthy("api-1", SOAK, UNTIL, region="west")
    assert not await answer(prometheus, asked, region)


async def test_a_prometheus_that_does_not_answer_is_not_a_no(
    prometheus: Prometheus, asked: PrometheusClient
) -> None:
    prometheus.status = 503
    with pytest.raises((Retryable, Permanent)):
        await answer(prometheus, asked, [])


@pytest.mark.parametrize(
    ("labels", "minutes", "fired"),
    [
        ({"namespace": "shop", "severity": "critical"}, 10, True),
        ({"namespace": "bank", "severity": "critical"}, 10, False),
        ({"namespace": "shop", "pod": "api-of-the-version-before", "instance": "10.0.0.9:8080"}, 10, True),
        ({"namespace": "shop"}, 31, False),
        ({"namespace": "shop", "alertstate": "pending"}, 10, False),
    ],
)
async def test_an_alert_fired_if_prometheus_recorded_it_with_no_other_labels(
    prometheus: Prometheus, asked: PrometheusClient, labels: dict[str, str], minutes: float, fired: bool
) -> None:
    name = {"__name__": "ALERTS", "alertname": "HighErrorRate", "alertstate": "firing"}
    prometheus.past = [Recorded(name | labels, [(UNTIL - timedelta(minutes=minutes), 1.0)])]
    alert = {"alertname": "HighErrorRate", "namespace": "shop", "severity": "critical", "team": "x"}
    alert |= {"pod": "api-of-the-bad-one", "instance": "10.0.0.7:8080"}
    assert await asked.alert_fired("HighErrorRate", alert, SOAK, UNTIL) == fired
