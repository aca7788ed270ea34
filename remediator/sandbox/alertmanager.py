"""A stand-in for Alertmanager: alerts are set by method calls, read over its API, and posted to a webhook.

It has no timers: nothing is sent before `deliver` is called, and each call sends every group once, whether it
changed or not. Neither silences nor alerts can be made over HTTP. After api/v2/api.go of
prometheus/alertmanager, and what a real one answered.
"""

import asyncio
import itertools
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import aiohttp
from aiohttp import web

from remediator.sandbox.alertmanager_api import BadParameter, Listed, Selection, milliseconds, selection
from remediator.sandbox.alertmanager_config import Config, original, routing_everything_to
from remediator.sandbox.alertmanager_webhook import Alert, Notification, go_json, groups, notification
from remediator.sandbox.loopback_server import LoopbackServer

Labels = Mapping[str, str]

_RESENT_FOR = timedelta(minutes=4)  # how far ahead Prometheus puts endsAt: four times its resend-delay


@dataclass(frozen=True)
class Delivery:
    """One webhook request that was made, and the status of the answer: None if there was no answer."""

    notification: Notification
    status: int | None
    error: str = ""


@dataclass(frozen=True)
class _Held:
    alert: Alert
    receivers: tuple[str, ...]
    updated_at: datetime
    unprocessed: bool = False


class Alertmanager(LoopbackServer):
    """One Alertmanager peer; see LoopbackServer for `url`, start, stop, `status` and `delay`.

    `clock` answers the present as an aware UTC datetime. Alerts fire until they are resolved, as if
    Prometheus kept sending them, unless `stop_resending` was called. `fire` and `resolve` take all labels of
    one alert; `silence` and `inhibit` take the labels an alert must have among others.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        version: str = "0.28.1",
        external_url: str = "http://alertmanager.example.com",
        receivers: Sequence[str] = ("remediator",),
    ) -> None:
        super().__init__(
            [
                web.get("/-/ready", self._ok),
                web.get("/-/healthy", self._ok),
                web.get("/api/v2/status", self._get_status),
                web.get("/api/v2/alerts", self._get_alerts),
            ]
        )
        self._resending = True
        self._clock = clock
        self._version = version
        self._external_url = external_url
        self._receivers = tuple(receivers)
        self.config: Config = routing_everything_to(
            self._receivers, "http://remediator:9095/api/v1/alertmanager"
        )
        """As in alertmanager.yml. It is only shown: who gets an alert is said when it is fired."""
        self.peers: tuple[str, ...] = ()
        """The addresses of its cluster, its own included; none for one that stands alone."""
        self._started = clock()
        self._held: dict[str, _Held] = {}
        self._silence_numbers = itertools.count(1)
        self._silences: dict[str, Labels] = {}
        self._inhibitions: list[tuple[Labels, Labels]] = []

    def fire(
        self,
        labels: Labels,
        *,
        annotations: Labels | None = None,
        starts_at: datetime | None = None,
        generator_url: str = "",
        receivers: Sequence[str] | None = None,
        unprocessed: bool = False,
    ) -> Alert:
        """Let an alert fire, or refresh one that does, which keeps the earlier startsAt (default: now)."""
        now = self._clock()
        starts_at = starts_at or now
        before = self._held.get(Alert(labels, starts_at=now).fingerprint)
        if before and self._as_of_now(before).alert.ends_at is None:
            starts_at = min(starts_at, before.alert.starts_at)
        alert = Alert(dict(labels), dict(annotations or {}), starts_at=starts_at, generator_url=generator_url)
        to = tuple(self._receivers if receivers is None else receivers)
        self._held[alert.fingerprint] = _Held(alert, to, now, unprocessed)
        return alert

    def resolve(self, labels: Labels, *, ends_at: datetime | None = None) -> Alert:
        """End an alert (default: now); of a suppressed one nobody hears. Raises KeyError if none fires."""
        now = self._clock()
        held = self._held[Alert(labels, starts_at=now).fingerprint]
        if self._as_of_now(held).alert.ends_at is not None:
            raise KeyError(held.alert.fingerprint)
        alert = replace(held.alert, ends_at=ends_at or now)
        if any(self._suppressed_by(alert)):
            del self._held[alert.fingerprint]
        else:
            self._held[alert.fingerprint] = replace(held, alert=alert, updated_at=now)
        return alert

    def stop_resending(self) -> None:
        """Prometheus is gone: what fires now runs out in four minutes, unless it is fired again."""
        self._held = {key: self._as_of_now(held) for key, held in self._held.items()}
        self._resending = False

    def resume_resending(self) -> None:
        """Prometheus is back, for the alerts that have not run out."""
        self._held = {key: self._as_of_now(held) for key, held in self._held.items()}
        self._resending = True

    def silence(self, labels: Labels) -> str:
        """Suppress every alert that has these labels, present or future; the id of the silence."""
        silence_id = str(uuid.UUID(int=next(self._silence_numbers)))
        self._silences[silence_id] = dict(labels)
        return silence_id

    def unsilence(self, silence_id: str) -> None:
        """Expire a silence. Raises KeyError for an unknown one."""
        del self._silences[silence_id]

    def inhibit(self, target: Labels, *, while_firing: Labels) -> None:
        """Suppress alerts that have the labels `target` while one with the labels `while_firing` fires."""
        self._inhibitions.append((dict(target), dict(while_firing)))

    def notifications(
        self,
        *,
        receiver: str = "remediator",
        group_by: Sequence[str] = ("alertname", "namespace"),
        route: str = "{}",
        max_alerts: int = 0,
        send_resolved: bool = True,
    ) -> list[Notification]:
        """The webhook requests to be made now: one for each group that has an alert nothing suppresses."""
        due = [
            held.alert
            for held in map(self._as_of_now, self._held.values())
            if receiver in held.receivers and not any(self._suppressed_by(held.alert))
            if send_resolved or held.alert.ends_at is None
        ]
        return [
            notification(
                group,
                receiver=receiver,
                group_by=group_by,
                route=route,
                external_url=self._external_url,
                max_alerts=max_alerts,
            )
            for group in groups(due, group_by)
        ]

    async def deliver(
        self,
        url: str,
        *,
        token: str | None = None,
        timeout: float = 10.0,
        notifications: Iterable[Notification] | None = None,
    ) -> list[Delivery]:
        """Post `notifications` (default: those due for the receiver `remediator`), all at the same time.

        Whatever was resolved and sent is forgotten if the answer was 2xx; nothing is tried again by itself.
        """
        headers = {"User-Agent": f"Alertmanager/{self._version}", "Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        due = self.notifications() if notifications is None else notifications
        async with aiohttp.ClientSession(
            headers=headers,
            skip_auto_headers=("Accept", "Accept-Encoding"),
            timeout=aiohttp.ClientTimeout(total=timeout),
            connector=aiohttp.TCPConnector(limit=100),
        ) as session:
            return await asyncio.gather(*(self._post(session, url, one) for one in due))

    async def _post(self, session: aiohttp.ClientSession, url: str, due: Notification) -> Delivery:
        try:
            async with session.post(url, data=due.body) as response:
                status = response.status
                said = await response.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            return Delivery(due, None, f"{type(error).__name__}: {error}")
        if status // 100 == 2:
            self._forget_resolved(due.alerts)
            return Delivery(due, status)
        return Delivery(due, status, said)

    def _forget_resolved(self, sent: Iterable[Alert]) -> None:
        for alert in sent:
            held = self._held.get(alert.fingerprint)
            if alert.ends_at is not None and held and self._as_of_now(held).alert == alert:
                del self._held[alert.fingerprint]

    def _as_of_now(self, held: _Held) -> _Held:
        """What is true of an alert now: sent again by Prometheus, or run out."""
        now = self._clock()
        if held.alert.ends_at is not None:
            return held
        if self._resending:
            return replace(held, updated_at=now)
        runs_out = held.updated_at + _RESENT_FOR
        return replace(held, alert=replace(held.alert, ends_at=runs_out)) if runs_out <= now else held

    def _suppressed_by(self, alert: Alert) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The ids of the silences and the fingerprints of the firing alerts that suppress it."""
        silences = (key for key, labels in self._silences.items() if labels.items() <= alert.labels.items())
        sources = (
            fingerprint
            for target, while_firing in self._inhibitions
            if target.items() <= alert.labels.items()
            for fingerprint, held in self._held.items()
            if while_firing.items() <= held.alert.labels.items()
            if self._as_of_now(held).alert.ends_at is None
        )
        return tuple(silences), tuple(sources)

    def _listed(self, chosen: Selection) -> list[Listed]:
        """What the API tells: the alerts that were asked for and have not ended, by fingerprint."""
        return [
            Listed(
                held.alert,
                held.receivers,
                held.unprocessed,
                *self._suppressed_by(held.alert),
                updated_at=held.updated_at,
                ends_at=held.updated_at + _RESENT_FOR,
            )
            for _, held in sorted(
                (key, self._as_of_now(held))
                for key, held in self._held.items()
                if chosen.matches(held.alert.labels)
            )
            if held.alert.ends_at is None
        ]

    async def _get_alerts(self, request: web.Request) -> web.Response:
        try:
            chosen = selection(list(request.query.items()))
        except BadParameter as error:
            return _json(str(error), status=400)
        return _json([listed.wire() for listed in self._listed(chosen) if chosen.takes(listed)])

    async def _get_status(self, request: web.Request) -> web.Response:
        names = ("branch", "buildDate", "buildUser", "goVersion", "revision")
        peers = [{"address": address, "name": f"PEER{number}"} for number, address in enumerate(self.peers)]
        cluster = {"name": "PEER0", "peers": peers, "status": "ready"}
        return _json(
            {
                "cluster": cluster if peers else {"peers": [], "status": "disabled"},
                "config": {"original": original(self.config, self._version)},
                "uptime": milliseconds(self._started),
                "versionInfo": {**dict.fromkeys(names, "stand-in"), "version": self._version},
            }
        )

    async def _ok(self, request: web.Request) -> web.Response:
        return web.Response(text="OK")


def _json(answer: object, status: int = 200) -> web.Response:
    return web.Response(status=status, text=go_json(answer) + "\n", content_type="application/json")
