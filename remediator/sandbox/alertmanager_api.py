"""What Alertmanager's API v2 takes and gives: matchers, parameters, and the shape of an alert in its answers.

After api/v2/api.go, api/v2/compat.go and pkg/labels/parse.go of prometheus/alertmanager.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from remediator.sandbox.alertmanager_webhook import Alert

_TRUE = {
    "true",
    "1",
    "yes",
    "ok",
    "y",
    "on",
    "selected",
    "checked",
    "t",
    "enabled",
}  # go-openapi's ConvertBool
_MATCHER = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|!=|!~|=)\s*(.*?)\s*", re.DOTALL)
_ESCAPE = re.compile(r'\\([\\"n])')


class BadParameter(ValueError):
    """A query parameter Alertmanager answers 400 to; the text is the answer."""


@dataclass(frozen=True)
class Matcher:
    """One `filter`: a label's name, one of = != =~ !~, and a value."""

    name: str
    operator: str
    value: str

    def matches(self, labels: Mapping[str, str]) -> bool:
        """An absent label is an empty one, and expressions are anchored."""
        value = labels.get(self.name, "")
        if self.operator in ("=~", "!~"):
            found = compiled(self.value).fullmatch(value) is not None
        else:
            found = value == self.value
        return found != self.operator.startswith("!")


@dataclass(frozen=True)
class Listed:
    """An alert as the API tells it."""

    alert: Alert
    receivers: tuple[str, ...]
    unprocessed: bool
    silenced_by: tuple[str, ...]
    inhibited_by: tuple[str, ...]
    updated_at: datetime
    ends_at: datetime

    @property
    def state(self) -> Literal["active", "suppressed", "unprocessed"]:
        if self.unprocessed:
            return "unprocessed"
        return "suppressed" if self.silenced_by or self.inhibited_by else "active"

    def wire(self) -> dict[str, object]:
        """A gettableAlert, its keys in the order of a real answer."""
        answer: dict[str, object] = {
            "annotations": dict(sorted(self.alert.annotations.items())),
            "endsAt": milliseconds(self.ends_at),
            "fingerprint": self.alert.fingerprint,
            "receivers": [{"name": name} for name in self.receivers],
            "startsAt": milliseconds(self.alert.starts_at),
            "status": {
                "inhibitedBy": list(self.inhibited_by),
                "mutedBy": [],
                "silencedBy": list(self.silenced_by),
                "state": self.state,
            },
            "updatedAt": milliseconds(self.updated_at),
        }
        if self.alert.generator_url:
            answer["generatorURL"] = self.alert.generator_url
        return answer | {"labels": dict(sorted(self.alert.labels.items()))}


@dataclass(frozen=True)
class Selection:
    """The parameters of GET /api/v2/alerts. `unprocessed` is taken and changes nothing, as in a real one."""

    matchers: tuple[Matcher, ...]
    receiver: re.Pattern[str] | None
    active: bool
    silenced: bool
    inhibited: bool

    def takes(self, listed: Listed) -> bool:
        if self.receiver and not any(self.receiver.fullmatch(name) for name in listed.receivers):
            return False
        if listed.state == "active" and not self.active:
            return False
        if (listed.silenced_by and not self.silenced) or (listed.inhibited_by and not self.inhibited):
            return False
        return self.matches(listed.alert.labels)

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether every filter takes these labels."""
        return all(matcher.matches(labels) for matcher in self.matchers)


def selection(query: Sequence[tuple[str, str]]) -> Selection:
    """Reads the parameters; an empty one is as good as none. Raises BadParameter."""
    last = {name: value for name, value in query if value}

    def flag(name: str) -> bool:
        return last.get(name, "true").lower() in _TRUE

    receiver = None
    if "receiver" in last:
        try:
            receiver = compiled(last["receiver"])
        except BadParameter as error:
            raise BadParameter(f"failed to parse receiver param: {error}") from error
    matchers = tuple(matcher(value) for name, value in query if name == "filter")
    return Selection(matchers, receiver, flag("active"), flag("silenced"), flag("inhibited"))


def matcher(text: str) -> Matcher:
    """One matcher, its value quoted or not. Raises BadParameter."""
    parts = _MATCHER.fullmatch(text)
    if parts is None:
        raise BadParameter(f"bad matcher format: {text}")
    name, operator, value = parts.groups()
    quoted = value.startswith('"')
    inner = value[1:-1] if quoted and len(value) > 1 else value
    unescaped_quote = '"' in _ESCAPE.sub("", inner)
    if unescaped_quote or (quoted and not _closes(value)):
        raise BadParameter(f"matcher value contains unescaped double quote: {value}")
    literal = _ESCAPE.sub(lambda found: "\n" if found[1] == "n" else found[1], inner)
    if operator in ("=~", "!~"):
        compiled(literal)
    return Matcher(name, operator, literal)


def compiled(expression: str) -> re.Pattern[str]:
    """Raises BadParameter. Python's expressions, where a real Alertmanager has RE2's."""
    try:
        return re.compile(f"(?:{expression})")
    except re.error as error:
        raise BadParameter(f"error parsing regexp: {error}: `^(?:{expression})$`") from error


def milliseconds(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _closes(value: str) -> bool:
    """Whether a value that begins with a quote ends with one that no backslash escapes."""
    inner = value[1:-1]
    escapes = len(inner) - len(inner.rstrip("\\"))
    return len(value) > 1 and value.endswith('"') and escapes % 2 == 0
