"""What an answer of the Kubernetes API means: an object, a page of a list, that there is none, or a refusal."""

from typing import Any, TypeGuard

from remediator.clients.http import HttpAnswer, json_document
from remediator.domain.value import JsonObject
from remediator.errors import Permanent, Retryable


class Expired(Retryable):
    """410: what the API server was asked to go on from is too long ago. List anew."""


class Forbidden(Permanent):
    """403: we are known, and lack the right."""


class UnknownApi(Permanent):
    """404: this API server does not serve what was asked for, whatever its name."""


def is_absent(answer: HttpAnswer, name: str) -> bool:
    """A 404 that speaks of this object; any other is a wrong address, and proves nothing about it."""
    if answer.status != 404:
        return False
    status = json_document(answer.body)
    return (
        isinstance(status, dict)
        and status.get("reason") == "NotFound"
        and (status.get("details") or {}).get("name") == name
    )


def is_unknown_api(answer: HttpAnswer) -> bool:
    """How an API server says that it has no such group (text/plain) or no such resource in it (a Status)."""
    if answer.status != 404:
        return False
    status = json_document(answer.body)
    if not isinstance(status, dict):
        return answer.body.strip() == b"404 page not found"
    return status.get("reason") == "NotFound" and not (status.get("details") or {}).get("name")


def refuse(answer: HttpAnswer, verb: str, plural: str, namespace: str | None) -> None:
    """Raise unless the answer is a success."""
    if 200 <= answer.status < 300:
        return
    status = json_document(answer.body)
    said = status.get("message") if isinstance(status, dict) else None
    where = f"{plural} in namespace {namespace}" if namespace is not None else plural
    sentence = f"Kubernetes answered {answer.status} to {verb} {where}: {said or answer.excerpt or 'nothing'}"
    if answer.status == 403:
        verbs = "list and watch" if verb == "watch" else verb
        raise Forbidden(f"{sentence}; grant {verbs} on {where} to this ServiceAccount")
    if is_unknown_api(answer):
        raise UnknownApi(sentence)
    if answer.status == 401:
        raise Permanent(f"{sentence}; the token is not valid: renew the ServiceAccount's or the kubeconfig's")
    if answer.status == 410:
        raise Expired(sentence, answer.retry_after)
    if answer.status == 429 or answer.status >= 500:
        raise Retryable(sentence, answer.retry_after)
    raise Permanent(sentence)


def object_of(answer: HttpAnswer, plural: str, name: str) -> JsonObject:
    """The object of this name that was asked for. Raises Retryable when the answer is anything else."""
    document = _document(answer)
    if not _is_whole(document, name):
        raise Retryable(f"Kubernetes answered something else than {plural} {name}: {answer.excerpt}")
    return document


def _document(answer: HttpAnswer) -> JsonObject:
    document = json_document(answer.body)
    if not isinstance(document, dict):
        raise Retryable(f"Kubernetes answered something that is not an object: {answer.excerpt or 'nothing'}")
    return document


def page_of(answer: HttpAnswer) -> tuple[list[JsonObject], str, str]:
    """The items of one page, the list's version, and the token of the next page, empty at the end."""
    document = _document(answer)
    items, metadata = document.get("items"), document.get("metadata")
    if items is None and str(document.get("kind", "")).endswith("List"):
        items = []
    if not _are_objects(items) or not isinstance(metadata, dict):
        raise Retryable(f"Kubernetes answered something that is not a list: {answer.excerpt}")
    following = str(metadata.get("continue") or "")
    if metadata.get("remainingItemCount") and not following:
        raise Retryable("Kubernetes said that its list goes on, and not where")
    return items, str(metadata.get("resourceVersion") or ""), following


def _are_objects(items: Any) -> TypeGuard[list[JsonObject]]:
    return isinstance(items, list) and all(_is_whole(item) for item in items)


def _is_whole(found: Any, name: str | None = None) -> bool:
    """Whether it has the shape that every object of Kubernetes has, and this name.

    What is missing would read as not being there: no annotation that pauses, no label.
    """
    if not isinstance(found, dict) or not isinstance(metadata := found.get("metadata"), dict):
        return False
    named, parts = metadata.get("name"), (found.get("spec"), found.get("status"))
    maps = (*parts, metadata.get("labels"), metadata.get("annotations"))
    return (
        isinstance(named, str)
        and named != ""
        and (name is None or named == name)
        and all(part is None or isinstance(part, dict) for part in maps)
    )
