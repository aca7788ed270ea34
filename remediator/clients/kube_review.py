"""Asks the API server who a token is and what a user may do. Nothing is created by it.

Both questions are POSTs, but no object comes of them. They stand apart from the client that writes.
"""

from typing import Any

from pydantic import Field

from remediator.clients.http import json_document
from remediator.clients.kube_connection import KubeConnection
from remediator.domain.value import JsonObject, Value
from remediator.errors import RemediatorError, Retryable

_TOKENS = "/apis/authentication.k8s.io/v1/tokenreviews"
_ACCESS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"


class KubeUser(Value):
    """A user as Kubernetes knows them; all of it is asked for when their rights are reviewed."""

    name: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: dict[str, tuple[str, ...]] = Field(default_factory=dict)


class KubeReviewer:
    """TokenReview and SubjectAccessReview. Raises Retryable whenever the API server does not clearly say."""

    def __init__(self, connection: KubeConnection, *, deadline: float = 5.0) -> None:
        """`deadline` is in seconds, for each question."""
        self._connection = connection
        self._deadline = deadline

    async def review_token(self, token: str, audience: str) -> KubeUser | None:
        """Whose token it is; None when it is nobody's, or not for this audience.

        An API server that does not know of audiences names none: its yes is no yes to ours
        (authentication.k8s.io/v1, TokenReviewStatus.audiences).
        """
        spec = {"token": token, "audiences": [audience]}
        status = await self._ask(_TOKENS, "authentication.k8s.io/v1", "TokenReview", spec)
        if status.get("authenticated") is not True or audience not in (status.get("audiences") or []):
            return None
        user = status.get("user") or {}
        if not isinstance(user.get("username"), str) or not user["username"]:
            return None
        return KubeUser(
            name=user["username"],
            uid=user.get("uid") or "",
            groups=tuple(user.get("groups") or ()),
            extra={key: tuple(values) for key, values in (user.get("extra") or {}).items()},
        )

    async def review_access(self, user: KubeUser, verb: str, group: str, resource: str) -> bool:
        """Whether a user may do this to a resource of the whole cluster."""
        spec = {
            "user": user.name,
            "groups": list(user.groups),
            "resourceAttributes": {"verb": verb, "group": group, "resource": resource},
        }
        spec |= {"uid": user.uid} if user.uid else {}
        spec |= {"extra": {key: list(values) for key, values in user.extra.items()}} if user.extra else {}
        status = await self._ask(_ACCESS, "authorization.k8s.io/v1", "SubjectAccessReview", spec)
        allowed, denied = status.get("allowed"), status.get("denied", False)
        if not isinstance(allowed, bool) or (not allowed and status.get("evaluationError")):
            said = status.get("evaluationError") or "nothing"
            raise Retryable(
                f"Kubernetes cannot tell whether {user.name} may {verb} {resource}.{group}: {said}"
            )
        return allowed and not denied

    async def _ask(self, path: str, api_version: str, kind: str, spec: JsonObject) -> JsonObject:
        review = {"apiVersion": api_version, "kind": kind, "spec": spec}
        try:
            answer = await self._connection.call("POST", path, body=review, deadline=self._deadline)
        except RemediatorError as reason:
            raise Retryable(f"Kubernetes was not reached for a {kind}: {reason.sentence}") from reason
        document = json_document(answer.body)
        if answer.status == 201 and isinstance(document, dict) and document.get("kind") == kind:
            status = document.get("status")
            if isinstance(status, dict):
                return status
        raise Retryable(f"Kubernetes answered {answer.status} to a {kind}: {_said(document)}")


def _said(document: Any) -> str:
    message = document.get("message") if isinstance(document, dict) else None
    return str(message or "nothing that is understood")
