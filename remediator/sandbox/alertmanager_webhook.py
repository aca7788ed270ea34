"""The body of Alertmanager's webhook, version 4, byte for byte as Alertmanager writes it.

After notify/webhook/webhook.go, template/template.go and types/types.go of prometheus/alertmanager and
model/signature.go and model/labelset.go of prometheus/common; held to the recordings of a real one.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, cmp_to_key

ALL_LABELS: tuple[str, ...] = ("...",)  # group_by: ['...'] of a route: every label is a group label
_YEAR_ONE = "0001-01-01T00:00:00Z"
_FNV_OFFSET, _FNV_PRIME = 14695981039346656037, 1099511628211
_GO_ESCAPES = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
_GO_ESCAPES |= {'"': '\\"', "\\": "\\\\"}
_HTML_ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "&<>\u2028\u2029"}


@dataclass(frozen=True)
class Alert:
    """One alert as Prometheus sends it; `ends_at` is None while it fires."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str] = field(default_factory=dict)
    starts_at: datetime = field(kw_only=True)
    ends_at: datetime | None = None
    generator_url: str = ""

    @cached_property
    def fingerprint(self) -> str:
        """Prometheus' own: 64-bit FNV-1a over the label names and values, sorted, each followed by 0xff."""
        digest = _FNV_OFFSET
        for name in sorted(self.labels):
            for byte in b"%b\xff%b\xff" % (name.encode(), self.labels[name].encode()):
                digest = (digest ^ byte) * _FNV_PRIME & 0xFFFFFFFFFFFFFFFF
        return f"{digest:016x}"

    @property
    def status(self) -> str:
        return "firing" if self.ends_at is None else "resolved"


@dataclass(frozen=True)
class Notification:
    """One webhook request to be made: one group of alerts for one receiver."""

    group_key: str
    alerts: tuple[Alert, ...]  # all of the group, also those that max_alerts cut off the body
    body: bytes


def notification(
    group: Sequence[Alert],
    *,
    receiver: str,
    group_by: Sequence[str],
    route: str = "{}",
    external_url: str = "http://alertmanager.example.com",
    max_alerts: int = 0,
) -> Notification:
    """The request for one group of alerts (see `groups`).

    `route` is the path of matchers that leads to the route, such as `{}/{team="payments"}`. Alerts beyond
    `max_alerts` (0: no limit) are cut off first, so status and common labels speak of those that are left.
    """
    alerts = sorted(group, key=cmp_to_key(_compare))
    shown = alerts[:max_alerts] if max_alerts else alerts
    group_labels = _group_labels(alerts[0], group_by)
    group_key = f"{route}:{_label_set(group_labels)}"
    message = {
        "receiver": re.sub(r"[\\.+*?()|\[\]{}^$]", r"\\\g<0>", receiver),
        "status": "firing" if any(alert.ends_at is None for alert in shown) else "resolved",
        "alerts": [_alert(alert) for alert in shown],
        "groupLabels": _sorted(group_labels),
        "commonLabels": _common([alert.labels for alert in shown]),
        "commonAnnotations": _common([alert.annotations for alert in shown]),
        "externalURL": external_url,
        "version": "4",
        "groupKey": group_key,
        "truncatedAlerts": len(alerts) - len(shown),
    }
    return Notification(group_key, tuple(alerts), (go_json(message) + "\n").encode())


def groups(alerts: Sequence[Alert], group_by: Sequence[str]) -> list[list[Alert]]:
    """The alerts by their values of the labels in `group_by`, in order of first appearance."""
    found: dict[str, list[Alert]] = {}
    for alert in alerts:
        found.setdefault(_label_set(_group_labels(alert, group_by)), []).append(alert)
    return list(found.values())


def go_json(value: object) -> str:
    """JSON as Go's encoder writes it: compact, UTF-8, with & < > and the line separators escaped."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(_HTML_ESCAPES)


def _alert(alert: Alert) -> dict[str, object]:
    return {
        "status": alert.status,
        "labels": _sorted(alert.labels),
        "annotations": _sorted(alert.annotations),
        "startsAt": _rfc3339_nano(alert.starts_at),
        "endsAt": _YEAR_ONE if alert.ends_at is None else _rfc3339_nano(alert.ends_at),
        "generatorURL": alert.generator_url,
        "fingerprint": alert.fingerprint,
    }


def _rfc3339_nano(moment: datetime) -> str:
    """Go's RFC3339Nano: a fraction without trailing zeros, and none if it is zero."""
    moment = moment.astimezone(UTC)
    fraction = f"{moment.microsecond:06d}".rstrip("0")
    return f"{moment:%Y-%m-%dT%H:%M:%S}{'.' if fraction else ''}{fraction}Z"


def _sorted(pairs: Mapping[str, str]) -> dict[str, str]:
    return {name: pairs[name] for name in sorted(pairs)}


def _group_labels(alert: Alert, group_by: Sequence[str]) -> dict[str, str]:
    return {
        name: value
        for name, value in alert.labels.items()
        if name in group_by or tuple(group_by) == ALL_LABELS
    }


def _common(of_all: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """What all have in common with the first; an empty value is the same as none."""
    first, others = of_all[0], of_all[1:]
    return _sorted(
        {name: value for name, value in first.items() if all(one.get(name, "") == value for one in others)}
    )


def _label_set(labels: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{name}={_go_quoted(labels[name])}" for name in sorted(labels)) + "}"


def _go_quoted(text: str) -> str:
    """Go's strconv.Quote."""
    return '"' + "".join(_go_escaped(character) for character in text) + '"'


def _go_escaped(character: str) -> str:
    code = ord(character)
    if character in _GO_ESCAPES:
        return _GO_ESCAPES[character]
    if character.isprintable():
        return character
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _compare(one: Alert, other: Alert) -> int:
    """Alertmanager's order: by job, by instance (those without come last), by number of labels, by labels."""
    for name in ("job", "instance"):
        ours, theirs = one.labels.get(name), other.labels.get(name)
        if ours != theirs:
            return 1 if ours is None else -1 if theirs is None else _sign(ours, theirs)
    if len(one.labels) != len(other.labels):
        return len(one.labels) - len(other.labels)
    for name in sorted({*one.labels, *other.labels}):
        ours, theirs = one.labels.get(name), other.labels.get(name)
        if ours != theirs:
            return -1 if ours is None else 1 if theirs is None else _sign(ours, theirs)
    return 0


def _sign(one: str, other: str) -> int:
    return -1 if one < other else 1
