"""Where Alertmanager posts: authenticate, bound, parse, commit, then 200.

Alertmanager sends again after a 5xx, gives up for this time after a 4xx, and takes any 2xx for
delivered. So a 4xx is only for what can never succeed, everything else that goes wrong is a 503, and
429, 207 and redirects are never answered. Nothing else happens here: matching and planning read the
database.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from remediator.errors import Permanent, Retryable
from remediator.fault_points import FaultPoint, reach, reach_once_sent
from remediator.settings.sections import Intake
from remediator.store.database import DATABASE_ERRORS
from remediator.telemetry import Metrics
from remediator.web.authentication import IntakeAuthentication
from remediator.web.gate import ADMITTED, certificate_names
from remediator.web.inbox import Inbox
from remediator.web.responses import problem, try_again
from remediator.web.webhook_message import Message, read_message

SOURCE = "alertmanager"
"""Where every alert is from, whatever the path says: anybody could have written that."""

_LARGE_BYTES = 256 * 1024
_LARGE_AT_ONCE = 2
_WAIT_FOR_ROOM_SECONDS = 0.5
_BODY_SECONDS = 10.0

_log = logging.getLogger(__name__)


class AlertmanagerIntake:
    """Answers `POST /api/v1/alertmanager`."""

    def __init__(
        self,
        settings: Intake,
        authentication: IntakeAuthentication,
        inbox: Inbox,
        metrics: Metrics,
        of_another_cluster: Callable[[], Awaitable[str | None]],
    ) -> None:
        self._largest = settings.max_body_bytes
        self._authentication = authentication
        self._inbox = inbox
        self._metrics = metrics
        self._of_another_cluster = of_another_cluster
        self._room_for_large = asyncio.Semaphore(_LARGE_AT_ONCE)

    async def receive(self, request: web.Request) -> web.Response:
        """Take one message."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        answer = await self._answer(request)
        self._metrics.webhook_requests.labels(str(answer.status)).inc()
        self._metrics.webhook_seconds.observe(loop.time() - started)
        if answer.status == 200:
            reach_once_sent(FaultPoint.J06)
        return answer

    async def _answer(self, request: web.Request) -> web.Response:
        try:
            refusal = self._refuse_by_headers(request)
            if refusal is not None:
                return refusal
            message = await self._take(request)
        except Permanent as reason:
            self._note(request, 400, reason.sentence)
            return problem(400, reason.sentence, "Compare webhook_config with the manual's example.")
        except Retryable as reason:
            self._note(request, 503, reason.sentence)
            return try_again(reason.sentence, reason.retry_after)
        except web.RequestPayloadError as reason:
            self._note(request, 400, str(reason))
            return problem(400, f"the body ended early or is no valid HTTP: {reason}")
        except web.HTTPRequestEntityTooLarge:
            return self._too_large(request)
        if _log.isEnabledFor(logging.DEBUG):
            _log.debug("%d alerts were stored", len(message.alerts), extra=_about(request, message))
        for each in message.quarantined:
            _log.warning("an alert could not be read: %s", each.reason, extra=_about(request, message))
        return _taken(message)

    def _refuse_by_headers(self, request: web.Request) -> web.Response | None:
        """A refusal before any of the body is read; None when there is no reason for one."""
        headers = request.headers
        if not self._authentication.admits(headers, certificate_names(request)):
            self._note(request, 401, "wrong credentials")
            return problem(
                401,
                "these credentials are not those of Alertmanager",
                "Set authorization or basic_auth in webhook_config to what intake says in remediator.yml.",
                {"WWW-Authenticate": self._authentication.challenge},
            )
        request[ADMITTED] = True
        if headers.get("Content-Type", "").lower() not in _JSON_TYPES:
            return self._unsupported(request, "only application/json in UTF-8 is understood")
        if headers.get("Content-Encoding", "identity").lower() != "identity":
            # Alertmanager never compresses, and a small body may unpack to a large one.
            return self._unsupported(request, "compressed bodies are not taken")
        if (request.content_length or 0) > self._largest:
            return self._too_large(request)
        return None

    async def _refuse_of_another_cluster(self) -> None:
        """Raises Retryable: another cluster's daemon would take these alerts for its own, or they would be dropped."""
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                why = await self._of_another_cluster()
        except DATABASE_ERRORS as reason:
            said = str(reason) or type(reason).__name__
            raise Retryable(f"the database does not answer: {said}") from reason
        if why is not None:
            raise Retryable(why)

    async def _take(self, request: web.Request) -> Message:
        await self._refuse_of_another_cluster()
        reach(FaultPoint.J01)
        length = request.content_length
        if length is not None and length <= _LARGE_BYTES:
            message = read_message(await self._read(request), SOURCE)
            reach(FaultPoint.J02)
            await self._inbox.store(message)
            return message
        try:
            async with asyncio.timeout(_WAIT_FOR_ROOM_SECONDS):
                await self._room_for_large.acquire()
        except TimeoutError:
            raise Retryable(f"{_LARGE_AT_ONCE} large messages are being read already") from None
        try:
            # In a thread: the loop goes on answering while a storm is parsed.
            message = await asyncio.to_thread(read_message, await self._read(request), SOURCE)
            reach(FaultPoint.J02)
            await self._inbox.store(message)
        finally:
            self._room_for_large.release()
        return message

    async def _read(self, request: web.Request) -> bytes:
        if request.content.is_eof():  # nearly always it came with the headers
            return await request.read()
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                return await request.read()
        except TimeoutError:
            raise Retryable(f"the body did not arrive within {_BODY_SECONDS:g} s") from None

    def _too_large(self, request: web.Request) -> web.Response:
        sentence = f"the body is larger than {self._largest} bytes"
        self._note(request, 413, sentence)
        return problem(413, sentence)

    def _unsupported(self, request: web.Request, sentence: str) -> web.Response:
        self._note(request, 415, sentence)
        return problem(415, sentence, "Send JSON as it is: Content-Type: application/json.")

    def _note(self, request: web.Request, code: int, sentence: str) -> None:
        _log.warning("a message of Alertmanager was answered %d: %s", code, sentence, extra=_about(request))


_JSON_TYPES = frozenset(
    f"application/json{rest}"
    for rest in ("", "; charset=utf-8", ";charset=utf-8", '; charset="utf-8"', ';charset="utf-8"')
)


def _taken(message: Message) -> web.Response:
    counts = len(message.alerts), len(message.quarantined)
    body = b'{"status":"success","alerts":%d,"quarantined":%d}' % counts
    return web.Response(body=body, content_type="application/json")


def _about(request: web.Request, message: Message | None = None) -> dict[str, dict[str, str]]:
    fields = {"remote": request.remote or "", "user_agent": request.headers.get("User-Agent", "")[:200]}
    return {"fields": fields if message is None else {**fields, "receiver": message.receiver}}
