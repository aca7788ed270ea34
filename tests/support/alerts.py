"""Webhook messages: those a real Alertmanager sent, and made ones for what it was not caught sending."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

RECORDINGS = Path(__file__).parent.parent / "recordings" / "alertmanager"


def recorded(name: str) -> bytes:
    """The body of a recorded message, byte for byte."""
    request = json.loads((RECORDINGS / f"{name}.json").read_text())["request"]
    raw: str = request["raw"]
    return raw.encode()


def alert(**fields: Any) -> dict[str, Any]:
    """One firing alert as Alertmanager writes it; `fields` go over its own, and None takes one out."""
    usual: dict[str, Any] = {
        "status": "firing",
        "labels": {"alertname": "HighErrorRate", "namespace": "shop", "deployment": "api"},
        "annotations": {"summary": "HighErrorRate in shop"},
        "startsAt": "2026-01-05T11:58:00.123456789Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example.com/graph?g0.expr=up&g0.tab=1",
        "fingerprint": "0000000000000000",
    }
    return {name: value for name, value in {**usual, **fields}.items() if value is not None}


def labelled(**labels: str) -> dict[str, Any]:
    """One firing alert with these labels only."""
    return alert(labels=labels)


def message(*alerts: Any, **fields: Any) -> dict[str, Any]:
    """A message of version 4 with these alerts; `fields` go over its own."""
    return {
        "receiver": "remediator",
        "status": "firing",
        "alerts": list(alerts),
        "groupLabels": {"alertname": "HighErrorRate"},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example.com",
        "version": "4",
        "groupKey": '{}:{alertname="HighErrorRate"}',
        "truncatedAlerts": 0,
        **fields,
    }


def without(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The document less one key."""
    return {key: value for key, value in document.items() if key != name}
