"""What every Alertmanager peer says about an alert right now."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, cast

from remediator.clients.http import HttpClient
from remediator.domain.alert import fingerprint
from remediator.domain.value import JsonObject
from remediator.errors import RemediatorError

PeerState = Literal["active", "suppressed", "unprocessed"]

_STATES = ("active", "suppressed", "unprocessed")
_EVERY_STATE = [("active", "true"), ("silenced", "true"), ("inhibited", "true"), ("unprocessed", "true")]
_CLASSIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")


@dataclass(frozen=True, slots=True)
class PeerAlert:
    """One alert as a peer holds it."""

    labels: dict[str, str]
    annotations: dict[str, str]
    fingerprint: str
    """Recomputed from the labels."""
    state: PeerState
    starts_at: datetime
    ends_at: datetime
    """While firing: when the peer will take it for resolved unless it hears of it again."""
    updated_at: datetime
    silenced_by: tuple[str, ...]
    inhibited_by: tuple[str, ...]
    receivers: tuple[str, ...]
    """Where the peer's routes send it."""


@dataclass(frozen=True, slots=True)
class PeerAnswer:
    """One peer's answer: `alerts`, or None and the `error` that says why there is none."""

    peer: str
    alerts: tuple[PeerAlert, ...] | None
    error: str | None = None


class AlertmanagerClient:
    """All peers of one Alertmanager cluster."""

    def __init__(
        self, http: HttpClient, urls: Sequence[str], headers: Mapping[str, str], *, deadline: float = 10.0
    ) -> None:
        """`urls` are the addresses the peers' own pages stand under; `deadline` is in seconds."""
        self._http = http
        self._urls = tuple(urls)
        self._headers = headers
        self._deadline = deadline

    @property
    def urls(self) -> tuple[str, ...]:
        return self._urls

    async def ask(self, matchers: Mapping[str, str]) -> tuple[PeerAnswer, ...]:
        """What each peer knows of alerts with exactly these label values, whatever their state.

        One answer per peer, in the order of `urls`; a peer that cannot be asked, or whose answer
        cannot be read in full, has an error instead of alerts. An empty value means no such label.
        """
        return tuple(await asyncio.gather(*(self._ask_peer(url, matchers) for url in self._urls)))

    async def _ask_peer(self, url: str, matchers: Mapping[str, str]) -> PeerAnswer:
        params = [*_EVERY_STATE, *(("filter", each) for each in _filters(matchers))]
        try:
            document = await self._http.get_json(
                f"{url.rstrip('/')}/api/v2/alerts", params, self._headers, self._deadline
            )
            alerts = [_peer_alert(element) for element in document]
        except RemediatorError as error:
            return PeerAnswer(url, None, error.sentence)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            return PeerAnswer(url, None, f"{url} gave a list of alerts this version cannot read: {error!r}")
        return PeerAnswer(url, tuple(alert for alert in alerts if _matches(alert.labels, matchers)))


def too_few(answered: int, asked: int) -> str | None:
    """Why so many peers' answers prove nothing, or None when at least half of those asked have answered.

    Half, and not more: of the usual two peers one may be down without stopping the cure.
    """
    if asked == 0:
        return "no Alertmanager is configured"
    if answered == 0 or 2 * answered < asked:
        return f"{answered} of {asked} Alertmanager peers answered, which is too few"
    return None


def _filters(matchers: Mapping[str, str]) -> list[str]:
    """Matchers in the form every version reads.

    Names outside the classic alphabet need quotes that versions before 0.27 refuse; they are left to
    `_matches`, which looks at every alert once more anyway.
    """
    return [f"{name}={_quoted(value)}" for name, value in matchers.items() if _CLASSIC_NAME.fullmatch(name)]


def _quoted(value: str) -> str:
    """In quotes, with the three escapes that both of Alertmanager's matcher parsers know."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _matches(labels: Mapping[str, str], matchers: Mapping[str, str]) -> bool:
    return all(labels.get(name, "") == value for name, value in matchers.items())


def _peer_alert(element: JsonObject) -> PeerAlert:
    status = element["status"]
    if status["state"] not in _STATES:
        raise ValueError(f"unknown state {status['state']!r}")
    labels = _strings(element["labels"])
    return PeerAlert(
        labels=labels,
        annotations=_strings(element.get("annotations") or {}),
        fingerprint=fingerprint(labels),
        state=cast(PeerState, status["state"]),
        starts_at=_moment(element["startsAt"]),
        ends_at=_moment(element["endsAt"]),
        updated_at=_moment(element["updatedAt"]),
        silenced_by=tuple(map(str, status.get("silencedBy") or ())),
        inhibited_by=tuple(map(str, status.get("inhibitedBy") or ())),
        receivers=tuple(str(each["name"]) for each in element.get("receivers") or ()),
    )


def _strings(found: Any) -> dict[str, str]:
    if not all(isinstance(value, str) for value in found.values()):
        raise TypeError("labels and annotations have to be strings")
    return dict(found)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"a time without its offset from UTC: {text!r}")
    return moment.astimezone(UTC)
