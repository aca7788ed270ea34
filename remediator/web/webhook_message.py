"""Reads the body of Alertmanager's webhook, version "4".

Alerts that may have come from anything are taken as tolerantly as is safe: unknown keys are ignored,
what is said about the whole group decides nothing, and one alert that cannot be read is set aside
with its reason while the others are kept.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple, TypeGuard, cast

from remediator.domain.alert import Status, fingerprint
from remediator.errors import Permanent
from remediator.redaction.text import redact
from remediator.store.journal import storable
from remediator.store.notices import (
    IncomingAlert,
    Quarantined,
    TruncatedGroup,
    delivery_key,
    without_secrets,
)
from remediator.web import strict_json

MOST_ALERTS = 100_000
"""In one body; a transaction of more takes longer than Alertmanager waits."""

_LARGEST_LABELS = 64 * 1024
_LARGEST_ANNOTATIONS = 256 * 1024
_LARGEST_QUARANTINED = 64 * 1024
_LARGEST_GROUP_KEY = 64 * 1024
_LARGEST_URL = 64 * 1024
_LARGEST_INTEGER = 2**31 - 1
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_TEXT: set[type] = {str}
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_QUOTED_META = re.compile(r"\\([\\.+*?()|\[\]{}^$])")


class Message(NamedTuple):
    """What one request holds."""

    receiver: str
    """As the operator wrote it; Alertmanager sends it with backslashes before `.` and the like."""
    alerts: list[IncomingAlert]
    quarantined: list[Quarantined]
    truncated: list[TruncatedGroup]
    """Empty, or the one group this message is about when Alertmanager cut alerts off."""


class _Unreadable(Exception):
    pass


def read_message(body: bytes, source: str) -> Message:
    """The message in `body`. Raises Permanent when the whole of it cannot be read."""
    document = strict_json.parse(body)
    sent = _alerts_of(document)
    # What could not be stored must stand in the body as one of these; nearly all bodies have none of them.
    careful = len(body) > _LARGEST_LABELS or b"\\u0000" in body or b"\\ud" in body or b"\\uD" in body
    alerts: list[IncomingAlert] = []
    quarantined: list[Quarantined] = []
    for each in sent:
        try:
            alerts.append(_alert(each, source, careful))
        except _Unreadable as reason:
            quarantined.append(Quarantined(str(reason), _excerpt(each)))
    return Message(_receiver(document), alerts, quarantined, _truncated(document))


def _alerts_of(document: Any) -> list[Any]:
    if not isinstance(document, dict) or "version" not in document or "alerts" not in document:
        raise Permanent(
            "this is not Alertmanager's webhook message: it has no version and alerts; "
            "is payload: overridden in webhook_config?"
        )
    if document["version"] != "4":
        raise Permanent(
            f'only version "4" of the webhook message is understood, not {_shown(document["version"])}; '
            "is payload: overridden in webhook_config?"
        )
    alerts = document["alerts"]
    if not isinstance(alerts, list):
        raise Permanent(f"alerts must be a list, not {_shown(alerts)}")
    if len(alerts) > MOST_ALERTS:
        raise Permanent(
            f"{len(alerts)} alerts in one message are more than {MOST_ALERTS}: set max_alerts in "
            "webhook_config; what is cut off is fetched from Alertmanager's API"
        )
    return alerts


def _receiver(document: dict[str, Any]) -> str:
    return _QUOTED_META.sub(r"\1", str(document.get("receiver", ""))[:200])


def _truncated(document: dict[str, Any]) -> list[TruncatedGroup]:
    count = document.get("truncatedAlerts") or 0
    if not isinstance(count, int) or count < 0:
        raise Permanent(f"truncatedAlerts must be a number of alerts, not {_shown(count)}")
    if count == 0:
        return []
    labels = document.get("groupLabels") or {}
    if not _is_text_map(labels) or _why_not_stored(labels, _LARGEST_LABELS) is not None:
        raise Permanent(f"groupLabels must be a map of strings, not {_shown(labels)}")
    key = storable(str(document.get("groupKey", ""))[:_LARGEST_GROUP_KEY])
    return [TruncatedGroup(key, labels, min(count, _LARGEST_INTEGER))]


def _alert(sent: Any, source: str, careful: bool) -> IncomingAlert:
    if not isinstance(sent, dict):
        raise _Unreadable(f"an alert must be an object, not {_shown(sent)}")
    status = _status(sent.get("status"))
    labels = _labels(sent.get("labels"), careful)
    annotations = _annotations(sent.get("annotations"), careful)
    starts_at = _time(sent, "startsAt")
    if starts_at is None:
        raise _Unreadable("startsAt is missing, or in the year 1")
    # A firing alert has no end: Alertmanager writes the year 1, others a time at which it would expire.
    ends_at = _time(sent, "endsAt") if status == "resolved" else None
    marks = fingerprint(labels)
    return IncomingAlert(
        delivery_key(source, marks, status, starts_at, ends_at),
        marks,
        status,
        labels,
        annotations,
        starts_at,
        ends_at,
        _generator_url(sent.get("generatorURL"), careful),
    )


def _status(sent: Any) -> Status:
    if sent in ("firing", "resolved"):
        return cast(Status, sent)
    raise _Unreadable(f"status must be firing or resolved, not {_shown(sent)}")


def _labels(sent: Any, careful: bool) -> dict[str, str]:
    """Without empty values, which mean the same as no label, to Prometheus and to Alertmanager."""
    if not _is_text_map(sent):
        raise _Unreadable(f"labels must be a map of strings, not {_shown(sent)}")
    labels = sent if all(sent.values()) else {name: value for name, value in sent.items() if value}
    if not labels or "" in labels:
        raise _Unreadable("a label has no name" if labels else "it has no labels")
    why = _why_not_stored(labels, _LARGEST_LABELS) if careful else None
    if why is not None:
        raise _Unreadable(f"its labels {why}")
    return labels


def _annotations(sent: Any, careful: bool) -> dict[str, str]:
    """Only ever read by people, so what cannot be stored is shown as the replacement character."""
    if sent is None:
        return {}
    if not _is_text_map(sent):
        raise _Unreadable(f"annotations must be a map of strings, not {_shown(sent)}")
    if not careful:
        return without_secrets(sent)
    annotations = {storable(name): storable(value) for name, value in sent.items()}
    why = _why_not_stored(annotations, _LARGEST_ANNOTATIONS)
    if why is not None:
        raise _Unreadable(f"its annotations {why}")
    return without_secrets(annotations)


def _generator_url(sent: Any, careful: bool) -> str:
    """A link for people, perhaps of any scheme. A longer one than any browser takes is cut."""
    if sent is None:
        return ""
    if not isinstance(sent, str):
        raise _Unreadable(f"generatorURL must be a string, not {_shown(sent)}")
    return _redacted_url(storable(sent[:_LARGEST_URL]) if careful else sent)


@lru_cache(maxsize=1024)  # the alerts of one rule have the same
def _redacted_url(url: str) -> str:
    return redact(url)


def _why_not_stored(texts: dict[str, str], most: int) -> str | None:
    whole = "".join([*texts, *texts.values()])
    if len(whole) > most:
        return f"are {len(whole)} characters long, of at most {most}"
    if _UNSTORABLE.search(whole):
        return "hold a NUL or half a surrogate pair, which PostgreSQL cannot store"
    return None


def _is_text_map(sent: Any) -> TypeGuard[dict[str, str]]:
    """JSON's keys are strings already, and its strings are of no subclass."""
    return isinstance(sent, dict) and set(map(type, sent.values())) <= _TEXT


def _time(sent: dict[str, Any], name: str) -> str | None:
    text = sent.get(name)
    if text is None:
        return None
    try:
        return _rfc3339(text)
    except (TypeError, ValueError, OverflowError):
        raise _Unreadable(f"{name} must be a time as in RFC 3339, not {_shown(text)}") from None


@lru_cache(maxsize=1024)  # the alerts of one group often began at the same moment
def _rfc3339(text: str) -> str | None:
    """As IncomingAlert has it; None for Go's zero time. Digits beyond microseconds are cut."""
    if _RFC3339.fullmatch(text) is None:
        raise ValueError(text)
    time = datetime.fromisoformat(text)
    return None if time.year == 1 else time.astimezone(UTC).isoformat()


def _shown(value: Any) -> str:
    """A value for a sentence: short, on one line."""
    return _excerpt(value)[:80]


def _excerpt(value: Any) -> str:
    """ASCII only, so that it can be stored whatever it holds. What is cut off is not written first: it may be large."""
    text = ""
    try:
        for piece in _pieces(value):
            text += piece
            if len(text) >= _LARGEST_QUARANTINED:
                break
    except RecursionError:
        return "(nested too deeply to show)"
    return text[:_LARGEST_QUARANTINED]


def _pieces(value: Any) -> Iterator[str]:
    """As json.dumps writes it."""
    match value:
        case dict():
            before = "{"
            for name, each in value.items():
                yield f"{before}{json.dumps(name)}: "
                yield from _pieces(each)
                before = ", "
            yield "{}" if not value else "}"
        case list():
            before = "["
            for each in value:
                yield before
                yield from _pieces(each)
                before = ", "
            yield "[]" if not value else "]"
        case _:
            yield json.dumps(value)
