"""Writing to Kubernetes: one request, and how much is known about what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

from remediator.clients.http import HttpAnswer, NeverSent, json_document
from remediator.clients.kube_connection import Beginning, KubeConnection
from remediator.clients.kube_resource import resource
from remediator.domain.value import JsonObject
from remediator.errors import Permanent, RemediatorError
from remediator.workloads.writers import OURS

_JSON = "application/json"
_JSON_PATCH = "application/json-patch+json"

JsonPatch: TypeAlias = list[dict[str, Any]]
"""The operations of RFC 6902."""


@dataclass(frozen=True, slots=True)
class Applied:
    """The server applied it; `object` is what it made of it."""

    object: JsonObject


@dataclass(frozen=True, slots=True)
class Refused:
    """The server did not apply it, and never will."""

    status: int
    """400 to 499."""
    reason: str
    """Kubernetes' word for it (Conflict, Invalid, Forbidden), or empty when something else answered."""
    message: str
    retry_after: float | None
    """Seconds, when the server named them."""


@dataclass(frozen=True, slots=True)
class Unclear:
    """It may have been applied, and may still be until 34 s after it was sent.

    34 s is how long an API server works on a request that changes something (requestTimeoutUpperBound
    in apiserver's handlers/rest.go).
    """

    why: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """No connection came about: the server cannot have seen it."""

    why: str


WriteAnswer: TypeAlias = Applied | Refused | Unclear | NotSent


class KubeWriter:
    """The only way anything in the cluster is changed. Nothing is ever repeated here.

    Answers are values, never errors. Cancelling a write leaves it as unclear as a lost connection does.
    """

    def __init__(self, connection: KubeConnection, field_manager: str = OURS) -> None:
        """`field_manager` is the name under which Kubernetes records who changed a field."""
        self._connection = connection
        self._field_manager = field_manager

    async def patch(
        self,
        kind: str,
        namespace: str,
        name: str,
        patch: JsonPatch,
        *,
        deadline: float = 10.0,
        begin: Beginning | None = None,
        dry_run: bool = False,
    ) -> WriteAnswer:
        """Apply a JSON Patch to one object; all of its operations or none. `deadline` is in seconds.

        A request that cannot begin while `begin` says more than zero seconds is not sent. With `dry_run` the
        server does everything but store it.
        """
        try:
            what = resource(kind)
            path = what.path(namespace, name)
        except Permanent as error:
            return NotSent(error.sentence)
        dry = {"dryRun": "All"} if dry_run else {}
        return await self._write(path, patch, _JSON_PATCH, what.kind, deadline, begin, dry)

    async def evict(
        self,
        namespace: str,
        pod: str,
        uid: str,
        version: str,
        *,
        deadline: float = 10.0,
        begin: Beginning | None = None,
    ) -> WriteAnswer:
        """Ask for the eviction of the one pod with this uid, as its PodDisruptionBudgets allow.

        It is refused with 409 once the pod's resourceVersion is no longer `version`. `deadline` is in seconds, `begin`
        as in `patch`. The answer to an eviction is a Status.
        """
        what = resource("pod")
        try:
            path = f"{what.path(namespace, pod)}/eviction"
        except Permanent as error:
            return NotSent(error.sentence)
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": pod, "namespace": namespace},
            "deleteOptions": {"preconditions": {"uid": uid, "resourceVersion": version}},
        }
        return await self._write(path, body, _JSON, "Status", deadline, begin)

    async def create_event(self, namespace: str, event: JsonObject, *, deadline: float = 10.0) -> WriteAnswer:
        """Create a core/v1 Event. `deadline` is in seconds."""
        what = resource("event")
        try:
            path = what.path(namespace)
        except Permanent as error:
            return NotSent(error.sentence)
        return await self._write(path, event, _JSON, what.kind, deadline)

    async def _write(
        self,
        path: str,
        body: Any,
        content_type: str,
        kind: str,
        deadline: float,
        begin: Beginning | None = None,
        options: Mapping[str, str] = MappingProxyType({}),
    ) -> WriteAnswer:
        try:
            answer = await self._connection.call(
                "PATCH" if content_type == _JSON_PATCH else "POST",
                path,
                query={"fieldManager": self._field_manager, **options},
                body=body,
                headers={"Content-Type": content_type},
                deadline=deadline,
                begin=begin,
            )
        except NeverSent as error:
            return NotSent(error.sentence)
        except RemediatorError as error:
            return Unclear(error.sentence)
        return _judged(answer, kind)


def _judged(answer: HttpAnswer, kind: str) -> WriteAnswer:
    """Only an object of the kind that answers such a write is taken for a success: something between us and the API
    server may answer 200 as well.
    """
    document = json_document(answer.body)
    if answer.status in (200, 201) and isinstance(document, dict) and document.get("kind") == kind:
        return Applied(document)
    status = document if isinstance(document, dict) else {}
    message = str(status.get("message") or answer.excerpt)
    if 400 <= answer.status < 500:
        return Refused(answer.status, str(status.get("reason") or ""), message, answer.retry_after)
    return Unclear(f"Kubernetes answered {answer.status}: {message or 'nothing'}")
