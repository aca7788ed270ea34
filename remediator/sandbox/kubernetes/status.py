"""Kubernetes Status answers: every way the API server says no, as one exception."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
"""One JSON object as the API server speaks it."""
TERMINATING = "NamespaceTerminating"
"""The cause of a refusal to make anything in a namespace that is being deleted."""


@dataclass(frozen=True)
class Cause:
    """One entry of `details.causes`: which field is wrong, and why."""

    reason: str
    message: str
    field: str

    def body(self) -> Json:
        """This cause as it stands in a Status."""
        return {"reason": self.reason, "message": self.message, "field": self.field}


class ApiError(Exception):
    """A refusal of the API server; `body()` is the Status it answers with."""

    def __init__(
        self,
        code: int,
        message: str,
        reason: str = "",
        details: Json | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = reason
        self.details = details
        self.headers = dict(headers or {})
        self.metadata: Json = {}

    def caused_by(self, reason: str) -> bool:
        """Whether one of its causes has this reason."""
        return any(cause["reason"] == reason for cause in (self.details or {}).get("causes", ()))

    def body(self) -> Json:
        """The Status object."""
        status: Json = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.metadata,
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            status["reason"] = self.reason
        if self.details is not None:
            status["details"] = self.details
        status["code"] = self.code
        return status


def success(details: Json) -> Json:
    """The Status a delete that leaves nothing behind is answered with."""
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def object_details(group: str, kind: str, name: str, causes: Sequence[Cause] = ()) -> Json:
    """`details` of a Status: empty values are left out, as the real server does."""
    details: Json = {}
    if name:
        details["name"] = name
    if group:
        details["group"] = group
    if kind:
        details["kind"] = kind
    if causes:
        details["causes"] = [cause.body() for cause in causes]
    return details


def qualified(plural_or_kind: str, group: str) -> str:
    """`deployments.apps`, or `pods` in the core group."""
    return f"{plural_or_kind}.{group}" if group else plural_or_kind


def not_found(group: str, plural: str, name: str) -> ApiError:
    """404: no such object."""
    message = f'{qualified(plural, group)} "{name}" not found'
    return ApiError(404, message, "NotFound", object_details(group, plural, name))


def already_exists(group: str, plural: str, name: str) -> ApiError:
    """409: the name is taken."""
    message = f'{qualified(plural, group)} "{name}" already exists'
    return ApiError(409, message, "AlreadyExists", object_details(group, plural, name))


def conflict(group: str, plural: str, name: str, why: str) -> ApiError:
    """409: a precondition does not hold."""
    message = f'Operation cannot be fulfilled on {qualified(plural, group)} "{name}": {why}'
    return ApiError(409, message, "Conflict", object_details(group, plural, name))


STALE = "the object has been modified; please apply your changes to the latest version and try again"


def invalid(group: str, kind: str, name: str, causes: Sequence[Cause]) -> ApiError:
    """422 with its causes; several of them are listed in brackets."""
    listed = [f"{cause.field}: {cause.message}" for cause in causes]
    shown = listed[0] if len(listed) == 1 else f"[{', '.join(dict.fromkeys(listed))}]"
    if len(set(listed)) == 1:
        shown = listed[0]
    message = f'{qualified(kind, group)} "{name}" is invalid: {shown}'
    return ApiError(422, message, "Invalid", object_details(group, kind, name, causes))


def bad_request(message: str) -> ApiError:
    """400."""
    return ApiError(400, message, "BadRequest")


def forbidden(group: str, plural: str, name: str, why: str, causes: Sequence[Cause] = ()) -> ApiError:
    """403 about one object or one kind of object."""
    subject = f'{qualified(plural, group)} "{name}"' if name else qualified(plural, group)
    details = object_details(group, plural, name, causes)
    return ApiError(403, f"{subject} is forbidden: {why}", "Forbidden", details)


def unpatchable() -> ApiError:
    """422 for a JSON patch that does not apply: it names neither the operation nor the reason."""
    return ApiError(422, "the server rejected our request due to an error in our request", "Invalid", {})


def no_such_route() -> ApiError:
    """404 for a path the server does not serve inside a group it knows."""
    return ApiError(404, "the server could not find the requested resource", "NotFound", {})


def method_not_allowed() -> ApiError:
    """405."""
    message = "the server does not allow this method on the requested resource"
    return ApiError(405, message, "MethodNotAllowed", {})


def unsupported_media_type() -> ApiError:
    """415 as PATCH answers it."""
    return ApiError(415, "415: Unsupported Media Type", "UnsupportedMediaType", {})


def not_emulated(what: str) -> ApiError:
    """501: the real server does this and the emulator does not; it never guesses instead."""
    return ApiError(501, f"the emulator does not do this: {what}", "NotImplemented", {})
