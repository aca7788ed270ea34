"""What an answer of the Kubernetes API means, when it is not the object that was asked for."""

from remediator.clients.http import HttpAnswer, json_document
from remediator.errors import Permanent, Retryable


class Expired(Retryable):
    """410: what the API server was asked to go on from is too long ago. List anew."""


class Forbidden(Permanent):
    """403: we are known, and lack the right."""


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
    if answer.status == 401:
        raise Permanent(f"{sentence}; the token is not valid: renew the ServiceAccount's or the kubeconfig's")
    if answer.status == 410:
        raise Expired(sentence, answer.retry_after)
    if answer.status == 429 or answer.status >= 500:
        raise Retryable(sentence, answer.retry_after)
    raise Permanent(sentence)
