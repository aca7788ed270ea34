"""What the API server says about itself, and about what we may do there."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from remediator.clients.http import HttpAnswer, json_document
from remediator.clients.kube_connection import KubeConnection
from remediator.clock import Clock
from remediator.domain.rights import Right
from remediator.errors import Permanent, Retryable

_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_AT_ONCE = 8
"""Reviews under way at the same time: an API server's fair queueing should not have to slow us down."""


@dataclass(frozen=True, slots=True)
class ApiServer:
    """One answer of `/version`."""

    version: str
    seconds: float
    """From the question to the answer."""
    behind: float | None
    """How many seconds its clock is behind ours, negative when ahead; None when it does not tell the time.

    The Date header holds whole seconds, so that it is right to half a second and half the way of the answer.
    """


class KubeAbout:
    """Asks; nothing is created by it. A SelfSubjectAccessReview is a POST, but no object comes of it."""

    def __init__(self, connection: KubeConnection, clock: Clock, *, deadline: float = 10.0) -> None:
        """`deadline` is in seconds, for each question."""
        self._connection = connection
        self._clock = clock
        self._deadline = deadline
        self._turns = asyncio.Semaphore(_AT_ONCE)

    @property
    def host(self) -> str:
        return self._connection.host

    async def server(self) -> ApiServer:
        """Version, latency and clock. Raises Retryable or Permanent."""
        asked = self._clock.monotonic()
        answer = await self._connection.call("GET", "/version", deadline=self._deadline)
        seconds = self._clock.monotonic() - asked
        version = self._document(answer).get("gitVersion")
        if answer.status != 200 or not isinstance(version, str):
            raise Permanent(
                f"{self.host} answered {answer.status}, not as an API server does: "
                f"{answer.excerpt or 'nothing'}; is it the right address?"
            )
        told = _moment(answer)
        behind = None if told is None else (self._clock.now() - told).total_seconds() - 0.5 - seconds / 2
        return ApiServer(version, seconds, behind)

    async def may(self, right: Right, namespace: str | None) -> bool:
        """Whether we have this right in a namespace, or everywhere when it is None.

        Raises Retryable or Permanent when the API server does not say.
        """
        resource, _, subresource = right.resource.partition("/")
        asked = {"verb": right.verb, "group": right.group, "resource": resource}
        asked |= {"subresource": subresource} if subresource else {}
        asked |= {"namespace": namespace} if namespace is not None else {}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": asked},
        }
        async with self._turns:
            answer = await self._connection.call("POST", _REVIEWS, body=review, deadline=self._deadline)
        document = self._document(answer)
        allowed = (document.get("status") or {}).get("allowed") if answer.status == 201 else None
        if not isinstance(allowed, bool):
            said = document.get("message") or answer.excerpt or "nothing"
            raise Retryable(f"{self.host} answered {answer.status} to whether we may {right}: {said}")
        return allowed

    def _document(self, answer: HttpAnswer) -> dict[str, Any]:
        document = json_document(answer.body)
        return document if isinstance(document, dict) else {}


def _moment(answer: HttpAnswer) -> datetime | None:
    try:
        return parsedate_to_datetime(answer.headers.get("Date", "")).astimezone(UTC)
    except ValueError:
        return None
