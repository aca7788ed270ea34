"""Keeps a receiver of alerts busy: many connections, each posting again as soon as it is answered."""

import asyncio
import itertools
import json
import time
from collections.abc import Iterator
from functools import partial
from urllib.parse import urlsplit

ALERTS_A_POST = 10
CONNECTIONS = 128
TOKEN = "bench-token"
_UNIQUE = "@@"


def bodies() -> Iterator[bytes]:
    """Webhook bodies of ten alerts like those of kube-state-metrics; no alert comes twice."""
    whole = json.dumps(_message(), separators=(",", ":")).encode() + b"\n"
    for number in itertools.count():
        yield whole.replace(_UNIQUE.encode(), str(number).encode())


async def post_for(seconds: float, url: str, source: Iterator[bytes]) -> int:
    """How many posts were answered 200 in `seconds`; raises RuntimeError for any other answer."""
    place = urlsplit(url)
    head = (
        f"POST {place.path} HTTP/1.1\r\nHost: {place.netloc}\r\nUser-Agent: Alertmanager/0.27.0\r\n"
        f"Authorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\nContent-Length: "
    ).encode()
    ends_at = time.monotonic() + seconds
    loop = asyncio.get_running_loop()
    posters = [_Poster(head, source, ends_at, loop.create_future()) for _ in range(CONNECTIONS)]
    for poster in posters:
        await loop.create_connection(partial(_itself, poster), place.hostname or "", place.port or 80)
    async with asyncio.timeout(seconds + 30):
        return sum(await asyncio.gather(*(poster.posted for poster in posters)))


def _itself(poster: "_Poster") -> "_Poster":
    return poster


class _Poster(asyncio.Protocol):
    """One connection. Far cheaper than a client library, so that the receiver is what is measured."""

    def __init__(
        self, head: bytes, source: Iterator[bytes], ends_at: float, posted: "asyncio.Future[int]"
    ) -> None:
        self.posted = posted
        self._head = head
        self._source = source
        self._ends_at = ends_at
        self._answered = 0
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._post()

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0 or len(self._received) < end + 4 + _content_length(self._received[:end]):
            return
        if not self._received.startswith(b"HTTP/1.1 200 "):
            self._finish(RuntimeError(f"the receiver answered {self._received[:300]!r}"))
            return
        self._received = b""
        self._answered += 1
        if time.monotonic() < self._ends_at:
            self._post()
        else:
            self._finish(None)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.posted.done():
            self.posted.set_exception(RuntimeError(f"the receiver hung up: {error}"))

    def _post(self) -> None:
        assert self._transport is not None
        body = next(self._source)
        self._transport.write(b"%s%d\r\n\r\n%s" % (self._head, len(body), body))

    def _finish(self, error: Exception | None) -> None:
        if error is None:
            self.posted.set_result(self._answered)
        else:
            self.posted.set_exception(error)
        assert self._transport is not None
        self._transport.close()


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def _message() -> dict[str, object]:
    group = {"alertname": "KubePodCrashLooping", "namespace": "checkout"}
    common = {**group, "job": "kube-state-metrics", "severity": "warning", "prometheus": "monitoring/k8s"}
    return {
        "receiver": "remediator",
        "status": "firing",
        "alerts": [_alert(common, number) for number in range(ALERTS_A_POST)],
        "groupLabels": group,
        "commonLabels": common,
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.monitoring:9093",
        "version": "4",
        "groupKey": '{}/{remediate="true"}:{alertname="KubePodCrashLooping", namespace="checkout"}',
        "truncatedAlerts": 0,
    }


def _alert(common: dict[str, str], number: int) -> dict[str, object]:
    pod = f"api-7c9d8b6f5-{_UNIQUE}-{number}"
    return {
        "status": "firing",
        "labels": {
            **common,
            "container": "api",
            "instance": "10.42.0.17:8080",
            "pod": pod,
            "reason": "CrashLoopBackOff",
        },
        "annotations": {
            "description": f"Pod checkout/{pod} (api) is in waiting state (reason: CrashLoopBackOff).",
            "runbook_url": "https://runbooks.example.com/runbooks/kubernetes/kubepodcrashlooping",
            "summary": "Pod is crash looping.",
        },
        "startsAt": "2026-01-05T12:00:00.123456789Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example.com/graph?g0.expr=max_over_time%28kube_pod_container_status"
        "_waiting_reason%5B5m%5D%29+%3E%3D+1&g0.tab=1",
        "fingerprint": "8350ed87c527e15e",
    }
