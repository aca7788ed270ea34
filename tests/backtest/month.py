"""A month whose right report was computed by hand: what happened, and which rules were there."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from remediator.backtest.lines import read_history
from remediator.backtest.past import Past
from remediator.backtest.terms import Terms
from remediator.rulebook.load import Rulebook, load
from remediator.settings.load import load_settings

RULES = """\
targets:
  - {match: ['{team="mail"}'], target: deployment/post/smtp}
rules:
  - rule: bad-release
    mode: act
    priority: 10
    wait: 1m
    match: ['{alertname="HighErrorRate"}']
    guards: [cooldown: {for: 6h}, max_alert_age: 2h]
    actions: [rollback]
    verifications: [rollout_complete: {within: 10m}, alert_cleared: {for: 5m, within: 45m}]
  - rule: hung
    mode: act
    priority: 50
    match: ['{alertname="ServiceHung"}']
    guards: [cooldown: {for: 1h}, limit: {effects: 2, per: 1d, of: rule}]
    actions: [restart]
    verifications: [rollout_complete: {within: 10m}]
  - rule: slow
    mode: act
    match: ['{alertname="HighLatency"}']
    guards: [alerts_correlated]
    actions: [restart]
    verifications: [rollout_complete: {within: 10m}]
  - rule: ask-first
    mode: ask
    match: ['{alertname="QueueStuck"}']
    actions: [restart]
    verifications: [rollout_complete: {within: 10m}]
  - {rule: look-only, mode: act, match: ['{alertname="DiskFull"}'], diagnostics: [events]}
  - {rule: asleep, mode: off, match: ['{alertname="Watchdog"}']}
"""

BEGAN, ENDED = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 31, tzinfo=UTC)


def at(day: int, time: str) -> datetime:
    """A moment of the month."""
    return datetime.fromisoformat(f"2026-10-{day:02}T{time}Z")


def lines() -> Iterator[dict[str, object]]:
    """The history, a day at a time."""
    yield {"kind": "history", "version": 1, "from": BEGAN.isoformat(), "to": ENDED.isoformat()}
    yield rollout(
        "shop/api", at(1, "00:00"), "aaa1", "api:v1", at(2, "10:00"), available=20 * 86400, seen=False
    )
    yield rollout("shop/api", at(2, "10:00"), "aaa2", "api:v2", None, available=240)
    yield alert("HighErrorRate", "shop/api", 2, "10:05", "11:00", hold="2m")
    yield alert("HighErrorRate", "shop/api", 2, "12:00", "12:10", hold="2m")
    yield alert("ServiceHung", "shop/web", 3, "09:00", "09:30", pod="web-1")
    yield alert("ServiceHung", "shop/web", 3, "09:15", "09:18", pod="web-2")
    yield alert("ServiceHung", "shop/web", 3, "09:40", "11:00", pod="web-1")
    yield alert("ServiceHung", "shop/web", 3, "12:00", "12:30", pod="web-1")
    yield alert("HighLatency", "shop/web", 4, "08:00", "10:30")
    yield alert("HighLatency", "shop/web", 5, "08:00", "09:00")
    yield alert("CpuHigh", "shop/web", 5, "08:05", "08:30")
    for minute, name in enumerate("abcd"):
        yield alert("ServiceHung", f"pay/{name}", 6, f"06:0{minute}", "06:30")
    yield alert("QueueStuck", "kube-system/dns", 7, "07:00", "08:00")
    yield alert("QueueStuck", "shop/worker", 8, "07:00", "08:00")
    yield {
        **alert("DiskFull", "shop/x", 9, "01:00", "02:00"),
        "labels": {"alertname": "DiskFull", "node": "n1"},
    }
    yield alert("DiskFull", "shop/api", 9, "03:00", "04:00")
    pod = {"alertname": "ServiceHung", "namespace": "shop", "pod": "unknown-1"}
    yield {**alert("ServiceHung", "shop/x", 10, "01:00", "02:00"), "labels": pod}
    mail = {"alertname": "ServiceHung", "namespace": "post", "pod": "smtp-1", "team": "mail"}
    yield {**alert("ServiceHung", "shop/x", 10, "03:00", "03:30"), "labels": mail}
    yield alert("HighErrorRate", "shop/web", 11, "01:00", "01:10")
    yield alert("HighErrorRate", "shop/web", 11, "05:00:00", "05:00:30")
    yield alert("HighErrorRate", "shop/cart", 12, "12:00", "12:20")
    yield alert("ServiceHung", "shop/cart", 12, "12:00", "12:20")
    yield {
        "kind": "write",
        "target": "deployment/shop/web",
        "at": at(13, "09:50").isoformat(),
        "by": "kubectl",
    }
    yield alert("ServiceHung", "shop/web", 13, "10:00", "10:50")
    yield alert("Watchdog", "shop/web", 14, "10:00", None)


def alert(
    name: str, target: str, day: int, begins: str, ends: str | None, *, hold: str | None = None, **more: str
) -> dict[str, object]:
    """One stretch of an alert about a Deployment."""
    namespace, _, deployment = target.partition("/")
    told: dict[str, object] = {
        "kind": "alert",
        "labels": {"alertname": name, "namespace": namespace, "deployment": deployment, **more},
        "startsAt": at(day, begins).isoformat(),
    }
    if ends is not None:
        told["endsAt"] = at(day, ends).isoformat()
    if hold is not None:
        told["for"] = hold
    return told


def rollout(
    target: str,
    began: datetime,
    revision: str,
    title: str,
    ended: datetime | None,
    *,
    available: float | None,
    seen: bool = True,
) -> dict[str, object]:
    """One stretch of one version of a Deployment."""
    told: dict[str, object] = {
        "kind": "rollout",
        "target": f"deployment/{target}",
        "beganAt": began.isoformat(),
        "revision": revision,
        "title": title,
        "beganSeen": seen,
    }
    if ended is not None:
        told["endedAt"] = ended.isoformat()
    if available is not None:
        told["availableSeconds"] = available
    return told


def written(told: list[dict[str, object]]) -> list[bytes]:
    """As a file has them."""
    return [json.dumps(each).encode() for each in told]


def month() -> Past:
    return read_history("month", written(list(lines())))


def rulebook(directory: Path, text: str = RULES) -> Rulebook:
    file = directory / "rules.yaml"
    file.write_text(text)
    return load([file])


TERMS = Terms.of(load_settings(None, {}, {}))
HOUR = timedelta(hours=1)
