"""A world in which every section of a digest has something to tell."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from remediator.digest.capacity import MEASURES as SHARES
from remediator.digest.performance import MEASURES as HARDSHIPS
from remediator.sandbox.postgres import PostgresServer
from remediator.sandbox.prometheus import Recorded
from tests.slo.series import SLOTH, of_sloth
from tests.support.busy_postgres import dsn_of
from tests.support.story import Story, deployment

LOGINS = "select who, count(*) as times from logins where kind = 'failed_login' group by 1 order by 1"
RULES = """
rules:
  - rule: bad-release
    mode: act
    match: ['{alertname="HighErrorRate"}']
    actions: [rollback]
    verifications:
      - rollout_complete: {within: 5m}
      - alert_cleared: {for: 1m, within: 45m}
  - rule: silent
    mode: shadow
    match: ['{alertname="NeverFires"}']
    actions: [restart]
    verifications:
      - rollout_complete: {within: 5m}
      - alert_cleared: {for: 1m, within: 45m}
  - rule: hung
    mode: shadow
    match: ['{alertname="Hung"}']
    guards:
      - min_replicas: 5
    actions: [restart]
    verifications:
      - rollout_complete: {within: 5m}
      - alert_cleared: {for: 1m, within: 45m}
  - rule: only-looks
    match: ['{alertname="Odd"}']
    diagnostics: [pods]
    otherwise: hand_over
"""
BACKUP = {"id": "orders-7", "verified_at": "2026-01-05T04:00:00Z"}


def settings(directory: Path, server: PostgresServer) -> dict[str, Any]:
    """What remediator.yml says: one database, two queries for the digest."""
    (directory / "orders-dsn").write_text(dsn_of(server, "looker"))
    query = {"name": "failed_logins", "sql": LOGINS, "masked": ["who"], "digest": "security"}
    access = {
        "name": "addresses",
        "sql": "select distinct address::text as address from logins",
        "digest": "access",
    }
    orders = {
        "name": "orders",
        "dsn_file": directory / "orders-dsn",
        "backups": "shop/orders-backups",
        "queries": [query, access],
    }
    return {"databases": [orders]}


def backup(story: Story, age: timedelta) -> None:
    """Whoever makes backups tells of one that is so old."""
    made_at = (story.clock.now() - age).isoformat()
    story.emulator.create(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "orders-backups", "namespace": "shop"},
            "data": {**BACKUP, "made_at": made_at},
        }
    )


async def full(story: Story) -> None:
    """An objective whose budget is gone, errors, pods that use much, a backup of yesterday, full volumes."""
    of_sloth(story.prometheus, left=-0.1, burn=2.0, past=[0.9, 0.4, -0.1])
    for query in ("slo:sli_error:ratio_rate1d", "avg_over_time(slo:sli_error:ratio_rate1d[7d])"):
        story.prometheus.answer(query, [(SLOTH, 0.0025)])
    made = deployment("app:v1")
    limits = {"limits": {"cpu": "500m", "memory": "128Mi"}}
    made["spec"]["template"]["spec"]["containers"][0]["resources"] = limits
    story.emulator.create(made)
    await story.let(30)
    names = [each["metadata"]["name"] for each in story.emulator.list("pods", "shop")]
    for name, cpu in zip(names, ("490m", "10m"), strict=True):
        story.emulator.create(used(name, cpu))
    backup(story, timedelta(hours=30))
    over_week(story)


def used(pod: str, cpu: str) -> dict[str, Any]:
    """As metrics-server answers."""
    return {
        "apiVersion": "metrics.k8s.io/v1beta1",
        "kind": "PodMetrics",
        "metadata": {"name": pod, "namespace": "shop"},
        "timestamp": "2026-01-05T12:00:30Z",
        "window": "15s",
        "containers": [{"name": "app", "usage": {"cpu": cpu, "memory": "32Mi"}}],
    }


def over_week(story: Story) -> None:
    """A volume that will be full, and a container that is held back and begins anew."""
    claim = {"namespace": "shop", "persistentvolumeclaim": "orders-data"}
    gone = {"namespace": "shop", "persistentvolumeclaim": "deleted"}
    now = story.clock.now()
    still: dict[str, tuple[dict[str, str], float, float]] = {
        "processor asked for": ({}, 0.3, 0.0),
        "memory asked for": ({}, 0.9, 0.0),
    }
    for each in SHARES:
        labels, last, a_day = still.get(each.what, (claim, 0.7, 0.05))
        series = [Recorded(labels, rising(now, last, a_day))]
        if each.what == "volume":
            series.append(Recorded(gone, rising(now, 0.99, 0.1)[:10]))
        story.prometheus.ranges[each.query] = series
    container = {"namespace": "shop", "pod": "api-1", "container": "app"}
    for hardship, value in zip(HARDSHIPS, (0.4, 3.0), strict=True):
        story.prometheus.answer(hardship.query.replace("%s", "shop"), [(container, value)])


def rising(now: datetime, last: float, a_day: float) -> list[tuple[datetime, float]]:
    """Two samples a day for a week, of which the last is of now."""
    return [(now - timedelta(hours=12 * back), last - a_day * back / 2) for back in range(14, -1, -1)]


def lines(digest: Mapping[str, Any], section: str) -> list[str]:
    """`state: text` of each line."""
    (found,) = [each for each in digest["sections"] if each["name"] == section]
    return [f"{each['state']}: {each['text']}" for each in found["lines"]]


def state(digest: Mapping[str, Any], section: str) -> str:
    (found,) = [each["state"] for each in digest["sections"] if each["name"] == section]
    return str(found)
